import type { RoomClientFrame, RoomServerFrame } from "../server/protocol/channels.ts";
import { claimsOf } from "./claims.ts";
import { type CloseReason, NO_ANSWER, TOO_LARGE } from "./close-codes.ts";
import type { ConnectOptions } from "./connect-options.ts";
import { Connection } from "./connection.ts";
import type { Listening, Unsubscribe } from "./listeners.ts";
import { newKey, type RequestOptions, Requests } from "./requests.ts";
import { segment } from "./server.ts";

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
  /** Those whose client id was drawn here, so that nobody else had it before. */
  readonly #drawn = new WeakSet<RoomRequest>();
  #seq: number | null;
  /** The name in one's own messages, as far as it is known. */
  #self: string | null = null;
  /** What the last token said of it: one that says the same again knows nothing of a change since. */
  #claimed: string | null = null;

  constructor(room: string, options: RoomOptions) {
    super(`/ws/${segment(room)}/`, options, `{"type":"ping"}`);
    this.#seq = options.since ?? null;
    this.#requests = new Requests({
      limit: options.queueLimit ?? 1_000,
      window: 1,
      backoff: options.backoff,
      transmit: (frame) => this.transmit(frame),
      overdue: () => this.drop(NO_ANSWER),
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
    const request = { ...frame, client_id: key } as RoomRequest;
    if (!frame.client_id) this.#drawn.add(request);
    return this.#requests.add<Answer>(key, request, "safe", options);
  }

  protected override query(): string {
    // What is no number has the server say where the room stands.
    return `since=${this.#seq ?? "now"}`;
  }

  protected override connected(token: string): void {
    const { username } = claimsOf(token);
    if (username !== null && username !== this.#claimed) this.#claimed = this.#self = username;
  }

  protected override receive(frame: RoomServerFrame): void {
    switch (frame.type) {
      case "chat_message":
        // A repeated one stands outside the order, and what it says has been delivered before. Only its sender gets it.
        if (frame.repeated) this.#acknowledge(frame);
        else if (this.#advance(frame)) this.#hearEcho(frame);
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
      case "online_user_list":
      case "user_join":
      case "user_leave":
      case "user_typing":
      case "messages_read":
        this.tell(frame);
        return;
      default:
        // Of a later release: it is passed over. This does not compile where one of this release is left out.
        frame satisfies never;
    }
  }

  #acknowledge(frame: ChatMessage): void {
    this.#self = frame.from_user?.username ?? this.#self;
    this.#requests.acknowledge(frame.client_id ?? "", frame);
  }

  /**
   * A client id is told to everybody, and anybody may use it too: with it a message is the answer to one's own only when it is
   * one's own, and was asked for on this line, or found in what was missed.
   */
  #hearEcho(frame: ChatMessage): void {
    const key = frame.client_id ?? "";
    const request = this.#requests.get(key);
    if (request?.frame.type !== "chat_message") return;
    const { isInFlight, lines } = request;
    const isDrawn = this.#drawn.has(request.frame);
    const isFromSelf = frame.from_user?.username === this.#self;
    const isMissed = this.state.name !== "open" && (isFromSelf || (this.#self === null && isDrawn));
    // Nobody can have copied an id that was drawn here before the message itself has come.
    const isLive = isInFlight && (isFromSelf || this.#self === null || (isDrawn && lines === 1));
    if (isLive || isMissed) this.#acknowledge(frame);
    // One's own name may have been changed since the token was made. Asked again, the server tells whose it is.
    else this.#requests.doubt(key);
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
 * @throws TypeError when there is no WebSocket or no `url` to be had, and for a name that no path can have, such as `..`
 */
export function connectRoom(room: string, options: RoomOptions): Room {
  return new Room(room, options);
}
