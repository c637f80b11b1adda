/** `/ws/notifications/`: the total of what is unread, over all conversations. */
import type { Notice } from "../core/unread.ts";
import type { NotificationsServerFrame } from "../protocol/channels.ts";
import type { UserFeed, UserFeedListener } from "../transport/user-feed.ts";
import { ListeningConsumer } from "./channels-consumer.ts";
import { countFrames } from "./count-frames.ts";

const unreadCount = countFrames<NotificationsServerFrame>((unread_count) => ({ type: "unread_count", unread_count }));
const newMessage = countFrames<NotificationsServerFrame>((unread_count) => ({
  type: "new_message_notification",
  unread_count,
}));

export class NotificationsConsumer extends ListeningConsumer implements UserFeedListener {
  #feed: UserFeed | null = null;

  protected override async open(): Promise<void> {
    const { userFeeds } = this.services;
    this.onClosed(() => userFeeds.leave(this.profile.id, this));
    const feed = await userFeeds.listen(this.profile.id, this);
    if (this.isClosed) return;
    this.#feed = feed;
    this.connection.send(unreadCount(feed.ledger.total));
  }

  notice(notice: Notice): void {
    // Before the first count nothing is news.
    if (this.#feed === null) return;
    const { total } = this.#feed.ledger;
    switch (notice.kind) {
      case "message":
        this.connection.send(newMessage(total));
        return;
      case "count":
        this.connection.send(unreadCount(total));
        return;
    }
  }
}
