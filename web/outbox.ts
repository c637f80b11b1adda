/**
 * What somebody asked for in a room and is not done yet, or was refused: messages, edits, deletions, pins. Each is kept until
 * then, so that it is done after a reload, too, and from whichever tab: a message under its one client id, the others where
 * doing it twice is doing it once.
 */
import { computed, signal } from "@preact/signals";
import { ParleyError, type Room, type RoomMessage } from "../client/index.ts";
import { type KeptWork, OUTBOX } from "./kept-work.ts";
import type { TimelineMessage } from "./message.ts";
import { problemText } from "./problems.ts";

export type Command =
  | { readonly kind: "send"; readonly message: RoomMessage & { readonly client_id: string } }
  | { readonly kind: "edit"; readonly message: TimelineMessage; readonly text: string }
  | { readonly kind: "delete"; readonly message: TimelineMessage }
  | { readonly kind: "pin"; readonly message: TimelineMessage; readonly isPinned: boolean };

/** One of them as it is kept. */
export interface Entry {
  readonly room: string;
  /** For a person to read: how the room is called. */
  readonly roomName: string;
  /** Milliseconds since 1970: they go in this order. */
  readonly at: number;
  readonly command: Command;
  /** Why it was refused; null while it waits. */
  readonly failure: string | null;
}

export interface OutboxEntry extends Entry {
  /** Under which it is kept: of a message its client id. */
  readonly key: string;
}

export interface OutboxSurroundings {
  readonly room: string;
  readonly work: KeptWork;
  roomName(): string;
  onFailed(entry: OutboxEntry): void;
}

/** Closed by this page, or with a token that is refused, or with too many tabs: the room will be opened again. */
const COMES_BACK = new Set([1000, 401, 4429]);

export class Outbox {
  /** In the order in which they go. */
  readonly #entries = signal<readonly OutboxEntry[]>([]);
  readonly waiting = computed(() => this.#entries.value.filter(({ failure }) => failure === null));
  readonly failed = computed(() => this.#entries.value.filter(({ failure }) => failure !== null));
  /** The messages among those that wait. */
  readonly messages = computed(() =>
    this.waiting.value.flatMap(({ command }) => (command.kind === "send" ? [command.message] : [])),
  );
  readonly #connection: Room;
  readonly #surroundings: OutboxSurroundings;
  readonly #withdrawals = new Map<string, AbortController>();
  #lastAt = 0;

  constructor(connection: Room, surroundings: OutboxSurroundings) {
    this.#connection = connection;
    this.#surroundings = surroundings;
    this.#entries.value = keptEntries(surroundings.work).filter(({ room }) => room === surroundings.room);
    for (const entry of this.waiting.peek()) void this.#perform(entry);
  }

  send(message: RoomMessage): void {
    const clientId = newKey();
    this.#add(clientId, { kind: "send", message: { ...message, client_id: clientId } });
  }

  edit(message: TimelineMessage, text: string): void {
    this.#add(newKey(), { kind: "edit", message, text });
  }

  delete(message: TimelineMessage): void {
    this.#add(newKey(), { kind: "delete", message });
  }

  pin(message: TimelineMessage, isPinned: boolean): void {
    this.#add(newKey(), { kind: "pin", message, isPinned });
  }

  /** What waits to become of that message. */
  pendingOf(id: string): Command | null {
    const found = this.waiting.value.findLast(({ command }) => command.kind !== "send" && command.message.id === id);
    return found?.command ?? null;
  }

  /** A message under the same client id: had it been stored after all, it is still one message. */
  retry(entry: OutboxEntry): void {
    this.discard(entry.key);
    this.#add(entry.key, entry.command);
  }

  discard(key: string): void {
    this.#surroundings.work.remove(OUTBOX + key);
    this.#drop(key);
  }

  /** Another tab has seen to it. */
  forget(key: string): void {
    if (this.#entries.peek().some((entry) => entry.key === key)) this.#drop(key);
  }

  #add(key: string, command: Command): void {
    // Two of one millisecond keep their order.
    this.#lastAt = Math.max(Date.now(), this.#lastAt + 1);
    const { room, roomName } = this.#surroundings;
    const entry = { key, room, roomName: roomName(), at: this.#lastAt, command, failure: null };
    this.#keep(entry);
    this.#entries.value = [...this.#entries.peek(), entry];
    void this.#perform(entry);
  }

  async #perform(entry: OutboxEntry): Promise<void> {
    const withdrawal = new AbortController();
    this.#withdrawals.set(entry.key, withdrawal);
    try {
      await this.#request(entry.command, { signal: withdrawal.signal });
      this.discard(entry.key);
    } catch (error) {
      if (withdrawal.signal.aborted) return;
      if (!(error instanceof ParleyError)) throw error;
      const { state } = this.#connection;
      if (error.code === "closed" && state.name === "closed" && COMES_BACK.has(state.why.code)) return;
      this.#fail({ ...entry, failure: problemText(error) });
    }
  }

  #request(command: Command, options: { signal: AbortSignal }): Promise<unknown> {
    switch (command.kind) {
      case "send":
        return this.#connection.send(command.message, options);
      case "edit":
        return this.#connection.edit(command.message.id, command.text, options);
      case "delete":
        return this.#connection.delete(command.message.id, options);
      case "pin":
        return this.#connection.pin(command.message.id, command.isPinned, options);
    }
  }

  #fail(failed: OutboxEntry): void {
    this.#entries.value = this.#entries.peek().map((entry) => (entry.key === failed.key ? failed : entry));
    this.#keep(failed);
    this.#surroundings.onFailed(failed);
  }

  #keep({ key, ...entry }: OutboxEntry): void {
    this.#surroundings.work.write<Entry>(OUTBOX + key, entry);
  }

  #drop(key: string): void {
    this.#withdrawals.get(key)?.abort();
    this.#withdrawals.delete(key);
    this.#entries.value = this.#entries.peek().filter((entry) => entry.key !== key);
  }
}

/** Of all rooms, in the order in which they were asked for. */
export function keptEntries(work: KeptWork): OutboxEntry[] {
  return work
    .all<Entry>(OUTBOX)
    .map(([name, entry]) => ({ ...entry, key: name.slice(OUTBOX.length) }))
    .sort((one, other) => one.at - other.at);
}

/** 128 random bits; `crypto.randomUUID` is there on pages over https alone. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
