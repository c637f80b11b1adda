/** A place to try the protocol: frames of one's own on the dialect that is chosen, and what the server says to them. */
import { computed, effect, signal } from "@preact/signals";
import { connectEvents, type EventPath, type Events, ParleyError, type RoomMessage } from "../client/index.ts";
import { findLastMessage, lastOf } from "./blocks.ts";
import type { OpenRoom } from "./open-room.ts";
import { eventNames, exampleText, type WireDialect, type WireNames } from "./wire-examples.ts";
import type { Workspace } from "./workspace.ts";

export type WireAnswer =
  | { readonly name: "none" }
  | { readonly name: "awaited" }
  /** `data`: undefined where the dialect answers with nothing but that it is done. */
  | { readonly name: "acknowledged"; readonly data: unknown }
  | { readonly name: "refused"; readonly code: string; readonly why: string };

/** Sends on the dialect that is chosen. */
type Speaker = (event: string, data: object) => Promise<unknown>;

export class WireConsole {
  readonly isOpen = signal(false);
  readonly dialect = signal<WireDialect>("channels");
  readonly event = signal("chat_message");
  /** JSON. */
  readonly data = signal("{}");
  readonly answer = signal<WireAnswer>({ name: "none" });
  readonly events = computed(() => eventNames(this.dialect.value));
  /** Channels frames go through the room in view. */
  readonly canSend = computed(() => this.dialect.value !== "channels" || this.#workspace.rooms.current.value !== null);
  readonly #workspace: Workspace;
  #connection: Events<EventPath> | null = null;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    const stop = effect(() => this.#connect());
    workspace.signal.addEventListener("abort", stop);
  }

  toggle(): void {
    this.isOpen.value = !this.isOpen.value;
    if (this.isOpen.value) this.chooseEvent(this.event.value);
  }

  chooseDialect(dialect: WireDialect): void {
    this.dialect.value = dialect;
    this.chooseEvent(eventNames(dialect)[0] ?? "");
  }

  chooseEvent(event: string): void {
    this.event.value = event;
    this.data.value = exampleText(this.dialect.value, event, this.#names());
    this.answer.value = { name: "none" };
  }

  async send(): Promise<void> {
    this.answer.value = { name: "awaited" };
    try {
      const data = parseData(this.data.value);
      this.answer.value = { name: "acknowledged", data: await this.#speaker()(this.event.value, data) };
    } catch (error) {
      this.answer.value = {
        name: "refused",
        code: error instanceof ParleyError ? error.code : "invalid_json",
        why: error instanceof Error ? error.message : String(error),
      };
    }
  }

  retry(): void {
    this.#connection?.retry();
  }

  /** An event dialect has a connection of its own while it is chosen. */
  #connect(): (() => void) | undefined {
    const { wire, connectOptions } = this.#workspace;
    const dialect = this.dialect.value;
    if (!this.isOpen.value || dialect === "channels") return undefined;
    const connection = connectEvents(dialect, { ...connectOptions, onWire: wire.recorder("panel") });
    this.#connection = connection;
    return () => {
      this.#connection = null;
      connection.close();
    };
  }

  #speaker(): Speaker {
    const room = this.#workspace.rooms.current.value;
    const connection = this.#connection;
    // The data is the developer's own: the server judges it, and its refusal is what they want to see.
    if (connection !== null) return (event, data) => connection.send(event as never, data as never);
    if (room === null) throw new ParleyError("closed", "no room is open");
    return (event, data) => say(room, event, data);
  }

  /** Messages that the examples speak of are those of the room in view. */
  #names(): WireNames {
    const { rooms, people } = this.#workspace;
    const room = rooms.current.value;
    const blocks = room?.history.timeline.value.blocks ?? [];
    const own = findLastMessage(blocks, (message) => room?.canEdit(message) === true);
    const standing = findLastMessage(blocks, ({ deletedBy }) => deletedBy === null);
    return {
      me: people.me.id,
      other: otherIn(room, people.me.id),
      conversation: room?.details.id.value ?? "<conversation id>",
      message: (standing ?? lastOf(blocks))?.id ?? "<message id>",
      ownMessage: own?.id ?? "<message id>",
    };
  }
}

function otherIn(room: OpenRoom | null, me: string): string {
  if (room === null) return "<user id>";
  const member = room.details.members.value.find(({ id }) => id !== me);
  return member?.id ?? room.details.other.value ?? "<user id>";
}

/** A channels frame, by the method of the room that sends it. */
async function say(room: OpenRoom, type: string, data: object): Promise<unknown> {
  const { connection } = room;
  const fields = data as { id?: string; message?: string; pinned?: boolean; is_typing?: boolean };
  const { id = "", message = "" } = fields;
  switch (type) {
    case "chat_message":
      return connection.send(data as RoomMessage);
    case "read_messages":
      return connection.read(fields.id);
    case "edit_message":
      return connection.edit(id, message);
    case "delete_message":
      return connection.delete(id);
    case "pin_message":
      return connection.pin(id, fields.pinned ?? true);
    case "typing":
      connection.typing(fields.is_typing ?? true);
      return undefined;
    default:
      throw new ParleyError("unknown_type", `${type}: no such frame`);
  }
}

function parseData(text: string): object {
  const data: unknown = JSON.parse(text);
  if (typeof data !== "object" || data === null) throw new Error("expected an object");
  return data;
}
