/** `/ws/<room>/`: one conversation, live. */

import type { Catchup } from "../core/catch-up.ts";
import { Refusal } from "../core/errors.ts";
import type { LargeRead } from "../core/large-reads.ts";
import type { Conversation } from "../core/model.ts";
import { toDraft } from "../message-draft.ts";
import { type RoomClientFrame, type RoomServerFrame, roomClientFrames } from "../protocol/channels.ts";
import type { ConversationListener } from "../transport/conversation-feed.ts";
import type { Delivery } from "../transport/delivery.ts";
import { DeliveryGate } from "../transport/delivery-gate.ts";
import type { Entrance } from "../transport/presence.ts";
import { ChannelsConsumer } from "./channels-consumer.ts";
import { chatMessage, type RoomName, replayFrame, roomFrame, roomName } from "./channels-frames.ts";
import type { ConsumerServices, Handshake } from "./consumer.ts";
import { memoized } from "./memoized.ts";

/** What a client that resumes still needs; `read`: its turn in the line for what is large. */
type Missed = Catchup & { readonly read: LargeRead | null };

type ChatFrame = Extract<RoomClientFrame, { type: "chat_message" }>;

const schemaFor = memoized(({ maxMessageChars }: ConsumerServices["limits"]) => roomClientFrames(maxMessageChars));

const types: ReadonlySet<string> = new Set<RoomClientFrame["type"]>([
  "chat_message",
  "read_messages",
  "typing",
  "edit_message",
  "delete_message",
  "pin_message",
  "ping",
]);

export class ChatConsumer extends ChannelsConsumer implements ConversationListener {
  readonly #name: RoomName;
  #conversation: Conversation | null = null;
  #entrance: Entrance | null = null;
  readonly #gate: DeliveryGate;

  constructor(services: ConsumerServices, handshake: Handshake) {
    super(services, handshake);
    this.#name = roomName(handshake.params.room ?? "");
    this.#gate = new DeliveryGate({
      deliver: (delivery) => this.#deliver(delivery),
      overflow: () => this.connection.close("tooSlow"),
      maxBytes: services.limits.maxBufferedBytes,
    });
  }

  get userId(): string {
    return this.profile.id;
  }

  get membership(): number {
    return this.#opened.membership;
  }

  /**
   * First the conversation is listened to, then it is read: what happens in between is heard twice at most, and the seq
   * tells. A constant number of queries and two layer commands.
   */
  protected override async open(): Promise<void> {
    const { core, hub, presences } = this.services;
    const conversation = await core.conversations.open(this.profile, this.#name.room);
    if (this.isClosed) return;
    this.#conversation = conversation;
    const conversationId = conversation.id;
    this.onClosed(() => hub.leave(conversationId, this));
    await hub.listen([{ conversationId, listener: this }]);
    if (this.isClosed) return;

    const { since } = this.handshake;
    const missed = since === null ? null : await this.#missed(conversationId, since);
    if (this.isClosed) return;

    const entrance = { conversationId, user: this.profile, listener: this };
    const online = await presences.enter(entrance);
    this.#entrance = entrance;
    this.onClosed(() => this.#entrance !== null && presences.leave(this.#entrance));
    if (this.isClosed) return;
    this.renamed();

    this.send({ type: "online_user_list", users: online.users, ...(online.isLarge && { total: online.total }) });
    if (missed !== null) await this.#replay(conversationId, missed);
    this.#gate.open(new Map(missed === null ? [] : [[conversationId, missed.present]]));
  }

  hear(delivery: Delivery): void {
    this.#gate.hear(delivery);
  }

  #deliver(delivery: Delivery): void {
    const { event } = delivery;
    // The typist knows.
    if (event.type === "typing" && event.user.id === this.userId) return;
    const frame = roomFrame(delivery, this.#name);
    if (frame !== null) this.connection.send(frame);
  }

  /** The room knows them by their name now. */
  protected override renamed(): void {
    const entrance = this.#entrance;
    if (entrance === null || this.isClosed || entrance.user.username === this.profile.username) return;
    this.#entrance = this.services.presences.rename(entrance, this.profile);
  }

  expelled(): void {
    this.connection.close("notAMember");
  }

  missedReads(): void {
    // A read mark is news, not state: who needs the state asks over HTTP.
  }

  protected override handle(frame: unknown): void | Promise<void> {
    const parsed = this.parse(schemaFor(this.services.limits), types, frame);
    // Only a foreign name of the room is looked up before the next frame; the rest is handed to the core in order, and
    // its commit is not waited for.
    if (parsed.type === "chat_message" && parsed.room !== undefined && parsed.room !== this.#name.room) {
      return this.#checkRoom(parsed.room).then(() => this.#dispatch(parsed));
    }
    this.#dispatch(parsed);
  }

  #dispatch(frame: RoomClientFrame): void {
    this.attempt(frame, () => this.#command(frame));
  }

  async #command(frame: RoomClientFrame): Promise<void> {
    const { messages, reading } = this.services.core;
    const { id: conversationId } = this.#opened;
    switch (frame.type) {
      case "chat_message":
        return this.#send(frame);
      case "read_messages":
        await (frame.id === undefined
          ? reading.readAll(this.profile, conversationId)
          : reading.readUpTo(this.profile, conversationId, frame.id));
        return this.#acknowledge(frame.client_id);
      case "typing":
        return messages.type(this.profile, conversationId, frame.is_typing);
      case "edit_message":
        await messages.edit(this.profile, conversationId, frame.id, frame.message);
        return this.#acknowledge(frame.client_id);
      case "delete_message":
        await messages.delete(this.profile, conversationId, frame.id);
        return this.#acknowledge(frame.client_id);
      case "pin_message":
        await messages.pin(this.profile, conversationId, frame.id, frame.pinned);
        return this.#acknowledge(frame.client_id);
      case "ping":
        return this.sendPong();
    }
  }

  /** What was asked for is done and committed, or was so already. */
  #acknowledge(clientId: string | undefined): void {
    if (clientId !== undefined) this.send({ type: "ack", client_id: clientId } satisfies RoomServerFrame);
  }

  async #send(frame: ChatFrame): Promise<void> {
    const { message, repeated } = await this.services.core.messages.send(this.profile, this.#opened.id, toDraft(frame));
    if (repeated) this.send({ ...chatMessage(message, this.#name.room), repeated: true });
  }

  async #checkRoom(room: string): Promise<void> {
    if (!(await this.services.core.conversations.isNamed(this.profile, this.#opened, room))) {
      throw new Refusal("invalid_frame", "room: expected a name of this conversation");
    }
  }

  /** Nothing is asked of storage where the client stands at what was told here last: all else is heard. */
  async #missed(conversationId: string, since: string): Promise<Missed> {
    const { core, hub } = this.services;
    const seq = /^\d{1,15}$/.test(since) ? Number(since) : Number.MAX_SAFE_INTEGER;
    if (seq === hub.position(conversationId)) return { status: "complete", present: seq, changes: [], read: null };
    const read = await this.takeLargeRead();
    return { ...(await core.messages.since(conversationId, seq)), read };
  }

  /** Page by page, the next one when the last was taken. */
  async #replay(conversationId: string, missed: Missed): Promise<void> {
    const { present, read } = missed;
    if (missed.status === "complete") {
      const { core, limits } = this.services;
      const pages = core.messages.changed(this.profile, conversationId, missed.changes, limits.maxPageBytes);
      for await (const page of pages) {
        if (page === null) return this.connection.close("notAMember");
        for (const changed of page) if (!(await this.sendInTurn(replayFrame(changed, this.#name.room)))) return;
      }
    }
    this.send({ type: missed.status === "complete" ? "resumed" : "resume_failed", seq: present });
    read?.release();
  }

  get #opened(): Conversation {
    if (this.#conversation === null) throw new Error("the room is not open yet");
    return this.#conversation;
  }
}
