/** `/ws/notifications/<user>/`: what is unread in one conversation. Opening it makes none. */
import type { Change } from "../core/events.ts";
import type { Membership } from "../core/store.ts";
import type { Notice } from "../core/unread.ts";
import type { ConversationNotificationsServerFrame } from "../protocol/channels.ts";
import { encodeTextFrame } from "../transport/frame.ts";
import type { UserFeed, UserFeedListener } from "../transport/user-feed.ts";
import { ListeningConsumer } from "./channels-consumer.ts";
import { countFrames } from "./count-frames.ts";

const unreadCount = countFrames<ConversationNotificationsServerFrame>((unread_count) => ({
  type: "single_conversation_unread_count",
  unread_count,
}));

const newMessage = encoded({ type: "single_conversation_new_message_notification" });

/** All who hear of a change here hear the same object: encoded once for them. */
const lastMessages = new WeakMap<Change, Buffer>();

function lastMessage(change: Change): Buffer {
  const known = lastMessages.get(change);
  if (known !== undefined) return known;
  const { text: last_message, createdAt: last_datetime } = change.message;
  const frame = encoded({ type: "single_conversation_last_message", last_message, last_datetime });
  lastMessages.set(change, frame);
  return frame;
}

function encoded(frame: ConversationNotificationsServerFrame): Buffer {
  return encodeTextFrame(JSON.stringify(frame));
}

/** A direct conversation that was never opened has an other person, but no id yet. */
type Subject = { readonly conversationId: string } | { readonly otherId: string };

export class ConversationNotificationsConsumer extends ListeningConsumer implements UserFeedListener {
  #feed: UserFeed | null = null;
  #subject: Subject | null = null;

  protected override async open(): Promise<void> {
    const { core, userFeeds } = this.services;
    this.onClosed(() => userFeeds.leave(this.profile.id, this));
    const feed = await userFeeds.listen(this.profile.id, this);
    // Asked after listening: a conversation that is made from here on is heard of through `joined`.
    const found = await core.conversations.find(this.profile, this.handshake.params.user ?? "");
    if (this.isClosed) return;
    this.#feed = feed;
    this.#subject =
      found.conversation === null ? { otherId: found.other.id } : { conversationId: found.conversation.id };
    this.#sendCount();
  }

  joined({ conversationId, otherId }: Membership): void {
    if (this.#subject !== null && "otherId" in this.#subject && this.#subject.otherId === otherId) {
      this.#subject = { conversationId };
    }
  }

  left(conversationId: string): void {
    if (this.#conversationId === conversationId) this.connection.close("notAMember");
  }

  notice(notice: Notice): void {
    if (this.#feed === null || notice.conversationId !== this.#conversationId) return;
    if (notice.kind === "message") this.#sendMessage(notice);
    this.#sendCount();
  }

  get #conversationId(): string | null {
    return this.#subject !== null && "conversationId" in this.#subject ? this.#subject.conversationId : null;
  }

  #sendMessage({ change }: Extract<Notice, { kind: "message" }>): void {
    this.connection.send(newMessage);
    this.connection.send(lastMessage(change));
  }

  #sendCount(): void {
    const id = this.#conversationId;
    this.connection.send(unreadCount(id === null ? 0 : (this.#feed?.ledger.unread(id) ?? 0)));
  }
}
