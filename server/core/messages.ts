/** What people do with messages: send, edit, delete, pin, type; and read what was said. */

import type { Catchup, ChangedMessage, MissedChange } from "./catch-up.ts";
import { Refusal, StorageUnavailable } from "./errors.ts";
import type { EventSink } from "./events.ts";
import type { Message, MessageContent, Profile } from "./model.ts";
import { pagesOf } from "./pages.ts";
import type { RateLimit } from "./rate.ts";
import type { Amendment, AmendmentContext, HistoryPage, HistorySlice, Judgement, Store } from "./store.ts";
import type { Writer } from "./writer.ts";

export interface Draft extends MessageContent {
  /** Makes a retry of the same send the same message. */
  readonly clientId: string | null;
  /** The message's id, where a dialect lets the client choose it. */
  readonly id: string | null;
  /** The conversation was found or made for this message. */
  readonly opensConversation: boolean;
}

/** `repeated`: the client id was known; the message is the first one, as it is now. */
export interface Receipt {
  readonly message: Message;
  readonly repeated: boolean;
}

export interface MessagesOptions {
  readonly store: Pick<Store, "history" | "hasHistory" | "messagesFor" | "changedSince" | "conversation">;
  readonly writer: Writer;
  readonly sink: EventSink;
  readonly newId: () => string;
  /** For each user: messages, edits, deletions, pins and changes of groups together. */
  readonly sendRate: RateLimit;
  readonly typingRate: RateLimit;
  readonly largeRoomMembers: number;
  /** Changed messages that a resuming client is sent; with more it reads history instead. */
  readonly resumeLimit: number;
}

export class Messages {
  readonly #options: MessagesOptions;

  constructor(options: MessagesOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the message is committed and local sockets have their echo.
   *
   * @throws Refusal `rate_limited`, `invalid_frame` (nothing in it), `forbidden` (not a member, or it answers a message
   * that is not in this conversation), `conflict` (the chosen id is taken), `unavailable`.
   */
  async send(sender: Profile, conversationId: string, draft: Draft): Promise<Receipt> {
    this.#spend(sender);
    if (isEmpty(draft)) throw new Refusal("invalid_frame", "message: a text, a media url or an attachment is needed");
    const outcome = await this.#options.writer.send({
      id: draft.id ?? this.#options.newId(),
      idFromClient: draft.id !== null,
      conversationId,
      sender,
      clientId: draft.clientId,
      text: draft.text,
      mediaUrl: draft.mediaUrl,
      mediaType: draft.mediaType,
      messageType: draft.messageType,
      attachments: draft.attachments,
      replyTo: draft.replyTo,
      isStoryReply: draft.isStoryReply,
      fileIdentifier: draft.fileIdentifier,
      mediaUrlExpiration: draft.mediaUrlExpiration,
      opensConversation: draft.opensConversation,
    });
    switch (outcome.status) {
      case "stored":
        return { message: outcome.change.message, repeated: false };
      case "repeated":
        if (outcome.message === null) throw new StorageUnavailable("the first message could not be read");
        return { message: outcome.message, repeated: true };
      case "not_a_member":
        throw new Refusal("forbidden", "you are not a member of this conversation");
      case "unknown_reply":
        throw new Refusal("forbidden", "the message that this one answers is not in this conversation");
      case "id_taken":
        throw new Refusal("conflict", "the message id is taken");
    }
  }

  /** The sender's own. `conversationId` null: wherever the message is. Resolves with the message as it then is. */
  edit(actor: Profile, conversationId: string | null, messageId: string, text: string): Promise<Message> {
    return this.#amend(actor, { kind: "edit", userId: actor.id, conversationId, messageId, text });
  }

  /** The sender's own, or any in a group by its creator. */
  delete(actor: Profile, conversationId: string | null, messageId: string): Promise<Message> {
    return this.#amend(actor, { kind: "delete", userId: actor.id, conversationId, messageId });
  }

  /** Any member may. */
  pin(actor: Profile, conversationId: string | null, messageId: string, pinned: boolean): Promise<Message> {
    return this.#amend(actor, { kind: "pin", userId: actor.id, conversationId, messageId, pinned });
  }

  /** Tells the others; stores nothing. More than the rate, and typing in a large room, is dropped in silence. */
  async type(actor: Profile, conversationId: string, isTyping: boolean, text: string | null = null): Promise<void> {
    const { store, sink, typingRate, largeRoomMembers } = this.#options;
    if (typingRate.take(actor.id) > 0) return;
    const found = await store.conversation(conversationId, actor.id);
    if (!found?.isMember) throw new Refusal("forbidden", "you are not a member of this conversation");
    if (found.conversation.membersCount > largeRoomMembers) return;
    const user = { id: actor.id, username: actor.username, firstName: actor.firstName };
    sink.emit([{ type: "typing", conversationId, user, isTyping, text }]);
  }

  /** Newest first. The caller has made sure that the reader is a member. */
  history(page: HistoryPage): Promise<HistorySlice> {
    return this.#options.store.history(page);
  }

  hasHistory(page: Omit<HistoryPage, "limit" | "bytes">): Promise<boolean> {
    return this.#options.store.hasHistory(page);
  }

  /** What somebody who has everything up to `since` still needs. The caller has made sure that they are a member. */
  since(conversationId: string, since: number): Promise<Catchup> {
    return this.#options.store.changedSince(conversationId, since, this.#options.resumeLimit);
  }

  /**
   * The messages that changed, in that order, page by page; each page is read when it is asked for. Null in place of a page:
   * the reader is a member no longer.
   */
  async *changed(
    reader: Profile,
    conversationId: string,
    changes: readonly MissedChange[],
    bytes: number,
  ): AsyncGenerator<ChangedMessage[] | null> {
    for (const page of pagesOf(changes, bytes)) {
      const ids = page.map(({ messageId }) => messageId);
      const found = await this.#options.store.messagesFor(reader.id, conversationId, ids);
      const messages = new Map(found.map((message) => [message.id, message]));
      if (found.length === 0) {
        yield null;
        return;
      }
      yield page.map(({ messageId, seq, kind, pinActor }) => {
        const message = messages.get(messageId);
        if (message === undefined) throw new Error(`a change of ${conversationId} names no message`);
        return { message, seq, kind, pinActor };
      });
    }
  }

  async #amend(actor: Profile, amendment: Exclude<Amendment, { kind: "read" }>): Promise<Message> {
    this.#spend(actor);
    const outcome = await this.#options.writer.amend(amendment);
    switch (outcome.status) {
      case "changed":
        return outcome.change.message;
      case "unchanged":
        if (outcome.message !== null) return outcome.message;
        break;
      case "empty":
        throw new Refusal("invalid_frame", "message: a text, a media url or an attachment is needed");
      case "forbidden":
        throw new Refusal("forbidden", `this message is not yours to ${amendment.kind}`);
      case "read":
        break;
    }
    throw new Error(`a ${amendment.kind} came back as ${outcome.status}`);
  }

  #spend(actor: Profile): void {
    this.#options.sendRate.spend(actor.id, "messages");
  }
}

/** The rules of changing what was said, by the state that the change meets under the conversation's lock. */
export function judge(amendment: Amendment, { message, creatorId }: AmendmentContext): Judgement {
  const isSender = message.sender.id === amendment.userId;
  const isDeleted = message.deletedAt !== null;
  switch (amendment.kind) {
    case "edit":
      if (!isSender || isDeleted) return "forbidden";
      if (isEmpty({ ...message, text: amendment.text })) return "empty";
      return message.text === amendment.text ? "unchanged" : "apply";
    case "delete":
      if (!isSender && creatorId !== amendment.userId) return "forbidden";
      return isDeleted ? "unchanged" : "apply";
    case "pin":
      if (isDeleted) return amendment.pinned ? "forbidden" : "unchanged";
      return (message.pinnedAt !== null) === amendment.pinned ? "unchanged" : "apply";
    case "read":
      throw new Error("reading is not judged: every member may");
  }
}

export function isEmpty(content: Pick<MessageContent, "text" | "mediaUrl" | "attachments">): boolean {
  return content.text === "" && content.mediaUrl === null && content.attachments.length === 0;
}
