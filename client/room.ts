import type { RoomClientFrame, RoomServerFrame } from "../server/protocol/channels.ts";
import { type CloseReason, TOO_LARGE } from "./close-codes.ts";
import { Connection } from "./connection.ts";
import type { ConnectOptions } from "./line.ts";
import type { Listening, Unsubscribe } from "./listeners.ts";
import { newKey, type RequestOptions, Requests } from "./requests.ts";

type ServerFrame<Type extends RoomServerFrame["type"]> = Extract<RoomServerFrame, { type: Type }>;
type ClientFrame<Type extends RoomClientFrame["type"]> = Extract<RoomClientFrame, { type: Type }>;

export type ChatMessage = ServerFrame<"chat_message">;

/** What a message may have: a text, or media or attachments beside an empty one. */
export type RoomMessage = Partial<Omit<ClientFrame<"chat_message">, "type" | "room">>;

/** A frame of a client's that is kept until it is acknowledged. */
export type RoomRequest = ClientFrame<
  "chat_message" | "read_messages" | "edit_message" | "delete_message" | "pin_message"
> & { client_id: string };

export interface RoomOptions extends ConnectOptions {
  /** The `seq` up to which the app has the room: what came after it is delivered first. Without it: from now on. */
  since?: number | undefined;
  /** How many requests are kept that are not acknowledged; 1,000 by default. */
  queueLimit?: number | undefined;
}

/**
 * One conversation, live: `/ws/<room>/`. Source of the frames: `docs/protocol.md`.
 *
 * The frames of changes (`chat_message`, `message_edited`, `message_deleted`, `message_pinned`) come in the order of `seq`, each
 * once, over however many sockets. At the beginning, and after a broken line, comes `online_user_list`, and then either
 * what was missed and `resumed`, or `resume_failed`: what the app has of this room is not what came before its `seq`, and it
 * reads the history over HTTP. That is so at the very beginning without `since`.
 *
 * Requests go out one at a time, in order, wait while there is no line, and are asked again after it broke. They are
 * rejected with a ParleyError when the server refuses them for good or the room is closed.
 */
export class Room extends Connection<RoomServerFrame> {
  readonly #requests: Requests<RoomRequest>;
  #seq: number | null;

  constructor(room: string, options: RoomOptions) {
    super(`/ws/${encodeURIComponent(room)}/`, options, `{"type":"ping"}`);
    this.#seq = options.since ?? null;
    this.#requests = new Requests({
      limit: options.queueLimit ?? 1_000,
      window: 1,
      backoff: options.backoff,
      transmit: (frame) => this.transmit(frame),
    });
  }

  /** The number of the last change that was delivered; null before the server has said where the room stands. */
  get seq(): number | null {
    return this.#seq;
  }

  /** What is not acknowledged yet, in order. */
  get pending(): readonly RoomRequest[] {
    return this.#requests.frames;
  }

  onPending(listener: (pending: readonly RoomRequest[]) => void, options?: Listening): Unsubscribe {
    return this.#requests.changes.add(() => listener(this.pending), options);
  }

  on<Type extends RoomServerFrame["type"]>(
    type: Type,
    listener: (frame: ServerFrame<Type>) => void,
    options?: Listening,
  ): Unsubscribe {
    return this.onFrame((frame) => {
      if (frame.type === type) listener(frame as ServerFrame<Type>);
    }, options);
  }

  /**
   * @param message a text, or the fields of a message; a `client_id` of the app's own makes it the same message over restarts
   * of the app, too
   * @returns the message as it was stored, when it is
   */
  send(message: string | RoomMessage, options?: RequestOptions): Promise<ChatMessage> {
    const fields = typeof message === "string" ? { message } : message;
    return this.#request({ message: "", ...fields, type: "chat_message" }, options);
  }

  edit(id: string, message: string, options?: RequestOptions): Promise<void> {
    return this.#request({ type: "edit_message", id, message }, options);
  }

  delete(id: string, options?: RequestOptions): Promise<void> {
    return this.#request({ type: "delete_message", id }, options);
  }

  pin(id: string, pinned: boolean, options?: RequestOptions): Promise<void> {
    return this.#request({ type: "pin_message", id, pinned }, options);
  }

  /** Everything up to this message, or everything there is when the server gets to it. */
  read(id?: string, options?: RequestOptions): Promise<void> {
    return this.#request({ type: "read_messages", ...(id !== undefined && { id }) }, options);
  }

  /** Of this moment only: without a line it is dropped. */
  typing(isTyping: boolean): void {
    if (this.state.name === "open") this.say({ type: "typing", is_typing: isTyping });
  }

  #request<Answer>(
    frame: DistributiveOmit<RoomRequest, "client_id"> & { client_id?: string | undefined },
    options?: RequestOptions,
  ) {
    // An empty one is none, to the server as well.
    const key = frame.client_id || newKey();
    return this.#requests.add<Answer>(key, { ...frame, client_id: key } as RoomRequest, "safe", options);
  }

  protected override query(): string {
    // What is no number has the server say where the room stands.
    return `since=${this.#seq ?? "now"}`;
  }

  protected override connected(): void {}

  protected override receive(frame: RoomServerFrame): void {
    switch (frame.type) {
      case "chat_message":
        // A repeated one stands outside the order, and what it says has been delivered before.
        if (frame.repeated || this.#advance(frame)) this.#requests.acknowledge(frame.client_id ?? "", frame);
        return;
      case "message_edited":
      case "message_deleted":
      case "message_pinned":
        this.#advance(frame);
        return;
      case "resumed":
      case "resume_failed":
        this.#seq = frame.seq;
        this.tell(frame);
        this.opened();
        this.#requests.open();
        return;
      case "ack":
        this.#requests.acknowledge(frame.client_id);
        return;
      case "error":
        if (!this.#requests.refuse(frame.client_id ?? this.#unnamed(frame), frame)) this.tell(frame);
        return;
      case "pong":
        return;
      default:
        this.tell(frame);
    }
  }

  /** A client id that is none, too long say, does not come back with its refusal; but one request alone is on its way. */
  #unnamed({ event }: ServerFrame<"error">): string {
    const [first] = this.pending;
    return first !== undefined && first.type === event ? first.client_id : "";
  }

  /** @returns false for a change that was delivered before */
  #advance(frame: RoomServerFrame & { seq: number }): boolean {
    if (this.#seq !== null && frame.seq <= this.#seq) return false;
    this.#seq = frame.seq;
    this.tell(frame);
    return true;
  }

  /** What was too large is not sent again. */
  protected override excuses({ code }: CloseReason): boolean {
    return code === TOO_LARGE && this.#requests.giveUpLargest();
  }

  protected override lost(): void {
    this.#requests.shut();
  }

  protected override ended({ reason }: CloseReason): void {
    this.#requests.close(reason);
  }
}

type DistributiveOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;

/**
 * Opens a conversation: with the user of that name, or the one of that id.
 *
 * @throws TypeError when there is no WebSocket or no `url` to be had
 */
export function connectRoom(room: string, options: RoomOptions): Room {
  return new Room(room, options);
}
