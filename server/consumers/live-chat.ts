/** `/chat`: messages with media, in all conversations of the user at once. */
import type { Draft } from "../core/messages.ts";
import { type LiveChatClientEvents, liveChatClientEvents, liveChatSince } from "../protocol/live-chat.ts";
import type { Delivery } from "../transport/delivery.ts";
import { DeliveryGate } from "../transport/delivery-gate.ts";
import type { UserFeedListener } from "../transport/user-feed.ts";
import type { ConsumerServices, Handshake } from "./consumer.ts";
import { checkClaim, replay } from "./event-replay.ts";
import { done, type EventCarrier, type EventSession, type Outcome } from "./event-session.ts";
import { dispatch, type EventHandlers } from "./event-table.ts";
import { deleted, edited, liveChatEvent, liveChatReplay, pinned, received } from "./live-chat-events.ts";
import { memoized } from "./memoized.ts";

type SendData = Parameters<EventHandlers<LiveChatClientEvents>["chat:message_send"]>[0];

const schemasFor = memoized(({ maxMessageChars }: ConsumerServices["limits"]) => liveChatClientEvents(maxMessageChars));

/** Direct conversations whose ids a session remembers, so that a message to the same person asks for none. */
const MAX_REMEMBERED = 1_000;

export class LiveChatSession implements EventSession, UserFeedListener {
  readonly #services: ConsumerServices;
  readonly #handshake: Handshake;
  readonly #carrier: EventCarrier;
  readonly #gate: DeliveryGate;
  readonly #schemas: LiveChatClientEvents;
  /** Receiver's id → conversation's id. */
  readonly #directs = new Map<string, string>();

  constructor(services: ConsumerServices, handshake: Handshake, carrier: EventCarrier) {
    this.#services = services;
    this.#handshake = handshake;
    this.#carrier = carrier;
    this.#schemas = schemasFor(services.limits);
    this.#gate = new DeliveryGate({
      deliver: (delivery) => this.#deliver(delivery),
      overflow: () => carrier.close("tooSlow"),
      maxBytes: services.limits.maxBufferedBytes,
    });
  }

  async open(): Promise<void> {
    const { core, hub, userFeeds, limits } = this.#services;
    const feed = await userFeeds.listen(this.#handshake.profile.id, this);
    const toldUpTo = await replay({
      core,
      hub,
      profile: this.#handshake.profile,
      pageBytes: limits.maxPageBytes,
      turn: null,
      carrier: this.#carrier,
      since: this.#since(),
      isFollowed: (conversationId) => feed.ledger.has(conversationId),
      encoderFor: async () => liveChatReplay,
      resumed: (chatId, seq) => ({ event: "chat:resumed", data: { chatId, seq } }),
      resumeFailed: (chatId, seq) => ({ event: "chat:resume_failed", data: { chatId, seq } }),
    });
    this.#gate.open(toldUpTo);
  }

  closed(): void {
    this.#services.userFeeds.leave(this.#handshake.profile.id, this);
  }

  hear(delivery: Delivery): void {
    this.#gate.hear(delivery);
  }

  left(conversationId: string): void {
    this.#gate.forget(conversationId);
  }

  receive(event: string, data: unknown): Outcome | Promise<Outcome> {
    return dispatch(this.#schemas, this.#handlers, event, data);
  }

  readonly #handlers: EventHandlers<LiveChatClientEvents> = {
    "chat:message_send": (data) => this.#send(data),
    "chat:message_edit": ({ messageId, content }) => {
      const { messages } = this.#services.core;
      const changed = messages.edit(this.#handshake.profile, null, messageId, content);
      return { acknowledgement: changed.then((message) => edited(message, message.changedSeq).data) };
    },
    "chat:message_delete": ({ messageId }) => {
      const { profile } = this.#handshake;
      const changed = this.#services.core.messages.delete(profile, null, messageId);
      return {
        acknowledgement: changed.then(
          (message) => deleted(message, message.changedSeq, message.deletedBy?.id ?? profile.id).data,
        ),
      };
    },
    "chat:message_pin": ({ messageId, pinned: isPinned }) => {
      const { profile } = this.#handshake;
      const changed = this.#services.core.messages.pin(profile, null, messageId, isPinned);
      return {
        acknowledgement: changed.then(
          (message) => pinned(message, message.changedSeq, isPinned, message.pinnedBy?.id ?? profile.id).data,
        ),
      };
    },
    "chat:message_read": ({ messageId }) => {
      const { profile } = this.#handshake;
      const read = this.#services.core.reading.readUpTo(profile, null, messageId);
      return { acknowledgement: read.then(() => ({ messageId })) };
    },
    "chat:typing_start": ({ chatId }) => this.#type(chatId, true),
    "chat:typing_stop": ({ chatId }) => this.#type(chatId, false),
    "user:get_status": ({ userId }) => ({ acknowledgement: this.#status(userId) }),
    ping: () => {
      this.#carrier.pong();
      return done();
    },
  };

  /** A message to somebody new finds or makes the conversation before the next event is handled. */
  #send(data: SendData): Outcome | Promise<Outcome> {
    checkClaim("data.senderId", data.senderId, this.#handshake.profile.id);
    const { chatId, receiverId } = data;
    if (chatId !== undefined) return this.#sendTo(chatId, data);
    if (receiverId === undefined) throw new Error("the schema admits neither receiver nor chat");
    const known = this.#directs.get(receiverId);
    return known === undefined ? this.#sendFirst(receiverId, data) : this.#sendTo(known, data);
  }

  async #sendFirst(receiverId: string, data: SendData): Promise<Outcome> {
    const { id } = await this.#services.core.conversations.openWith(this.#handshake.profile, receiverId);
    if (this.#directs.size >= MAX_REMEMBERED) this.#directs.clear();
    this.#directs.set(receiverId, id);
    return this.#sendTo(id, data);
  }

  #sendTo(conversationId: string, data: SendData): Outcome {
    return { acknowledgement: this.#store(conversationId, toDraft(data)) };
  }

  async #store(conversationId: string, draft: Draft): Promise<unknown> {
    const { messages } = this.#services.core;
    const { message, repeated } = await messages.send(this.#handshake.profile, conversationId, draft);
    const data = received(message);
    if (!repeated) return data;
    this.#carrier.emit({ event: "chat:message_receive", data: { ...data, repeated } });
    return { ...data, repeated };
  }

  #type(chatId: string, isTyping: boolean): Outcome {
    const typed = this.#services.core.messages.type(this.#handshake.profile, chatId, isTyping);
    return { acknowledgement: typed.then(() => ({ chatId })) };
  }

  async #status(userId: string): Promise<unknown> {
    const status = await this.#services.statuses.of(userId, this.#handshake.profile);
    this.#carrier.emit({ event: "user:status", data: status });
    return status;
  }

  #deliver(delivery: Delivery): void {
    const { event } = delivery;
    // The typist knows.
    if (event.type === "typing" && event.user.id === this.#handshake.profile.id) return;
    this.#carrier.deliver(delivery, "live-chat", () => liveChatEvent(event));
  }

  #since(): Record<string, number> {
    const text = this.#handshake.since;
    if (text === null) return {};
    const most = this.#services.limits.maxSinceConversations;
    const parsed = liveChatSince(most).safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    this.#carrier.emitError("invalid_frame", `since: expected a JSON object of chat ids and seqs, at most ${most}`);
    return {};
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toDraft(data: SendData): Draft {
  return {
    id: null,
    clientId: data.clientId ?? null,
    text: data.content,
    mediaUrl: data.mediaUrl ?? null,
    mediaType: data.LiveMediaType ?? data.mediaType ?? null,
    messageType: null,
    attachments: data.attachments ?? [],
    replyTo: data.replyTo ?? null,
    isStoryReply: false,
    opensConversation: false,
    fileIdentifier: null,
    mediaUrlExpiration: null,
  };
}
