import type { UserStore } from "../core/store.ts";
import type { FeedLog } from "./conversation-feed.ts";

/**
 * Whose sockets closed: stored at once; those of the same turn, and those that come while a statement is in flight, go
 * together, so that a thousand who leave at once are two statements.
 */
export class SeenMarks {
  readonly #store: Pick<UserStore, "markSeen">;
  readonly #log: FeedLog;
  #userIds = new Set<string>();
  #running: Promise<void> | null = null;

  constructor(store: Pick<UserStore, "markSeen">, log: FeedLog) {
    this.#store = store;
    this.#log = log;
  }

  mark(userId: string): void {
    this.#userIds.add(userId);
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is left to be stored. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    await null;
    while (this.#userIds.size > 0) {
      const userIds = [...this.#userIds];
      this.#userIds = new Set();
      await this.#markSeen(userIds);
    }
    this.#running = null;
  }

  /** A mark that cannot be stored is given up: the next one makes up for it. */
  async #markSeen(userIds: readonly string[]): Promise<void> {
    try {
      await this.#store.markSeen(userIds);
    } catch (error) {
      this.#log.warn({ users: userIds.length, err: error }, "when users were last seen could not be stored");
    }
  }
}
