import { Outage } from "../core/outage.ts";
import { UserFeed, type UserFeedListener, type UserFeedOptions } from "./user-feed.ts";

/** Milliseconds without a failure of any user before it counts as working again. */
const CALM = 5_000;

/** The user feeds of this node: one for each user, opened by the first of their sockets and closed with the last. */
export class UserFeeds {
  readonly #options: Omit<UserFeedOptions, "userId" | "outage">;
  readonly #outage: Outage;
  readonly #feeds = new Map<string, { readonly feed: UserFeed; readonly opened: Promise<void> }>();

  constructor(options: Omit<UserFeedOptions, "userId" | "outage">) {
    this.#options = options;
    this.#outage = new Outage({
      log: options.log,
      begins: "a user's conversations could not be followed; trying further",
      ends: "users' conversations can be followed again",
      calm: CALM,
    });
  }

  get size(): number {
    return this.#feeds.size;
  }

  /**
   * Resolves with the user's feed when its counts are exact. The listener hears from the first moment on. Rejects with
   * `LayerUnavailable` or `StorageUnavailable`; then the listener is gone again.
   */
  async listen(userId: string, listener: UserFeedListener): Promise<UserFeed> {
    let entry = this.#feeds.get(userId);
    if (entry === undefined) {
      const feed = new UserFeed({ ...this.#options, userId, outage: this.#outage });
      entry = { feed, opened: feed.open() };
      this.#feeds.set(userId, entry);
    }
    entry.feed.add(listener);
    try {
      await entry.opened;
    } catch (error) {
      this.leave(userId, listener);
      throw error;
    }
    return entry.feed;
  }

  leave(userId: string, listener: UserFeedListener): void {
    const entry = this.#feeds.get(userId);
    if (entry === undefined) return;
    entry.feed.delete(listener);
    if (!entry.feed.isEmpty) return;
    this.#feeds.delete(userId);
    entry.feed.close();
  }
}
