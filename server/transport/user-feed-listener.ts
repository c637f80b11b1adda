import type { Membership } from "../core/store.ts";
import type { Notice } from "../core/unread.ts";
import type { Delivery } from "./delivery.ts";
import type { ListenerFaults } from "./listener-faults.ts";

export interface UserFeedListener {
  /** Everything of every conversation, in the order of each. */
  hear?(delivery: Delivery): void;
  /** A count changed, or a message of another's came; the ledger has the numbers. */
  notice?(notice: Notice): void;
  /** A new conversation: called before anything of it is heard. */
  joined?(membership: Membership): void;
  left?(conversationId: string): void;
}

/** The sockets of one user that share a feed. What one of them throws is its own fault. */
export class UserFeedListeners {
  readonly #listeners = new Set<UserFeedListener>();
  readonly #faults: ListenerFaults;
  readonly #userId: string;

  constructor(faults: ListenerFaults, userId: string) {
    this.#faults = faults;
    this.#userId = userId;
  }

  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  add(listener: UserFeedListener): void {
    this.#listeners.add(listener);
  }

  delete(listener: UserFeedListener): void {
    this.#listeners.delete(listener);
  }

  hear(delivery: Delivery): void {
    for (const listener of this.#listeners) {
      try {
        listener.hear?.(delivery);
      } catch (error) {
        this.#faults.report("hear", error, { user: this.#userId, event: delivery.event.type });
      }
    }
  }

  notice(notices: readonly Notice[]): void {
    for (const notice of notices) this.#each("notice", (listener) => listener.notice?.(notice));
  }

  joined(membership: Membership): void {
    this.#each("joined", (listener) => listener.joined?.(membership));
  }

  left(conversationId: string): void {
    this.#each("left", (listener) => listener.left?.(conversationId));
  }

  #each(kind: keyof UserFeedListener, call: (listener: UserFeedListener) => void): void {
    for (const listener of this.#listeners) this.#faults.guard(kind, { user: this.#userId }, () => call(listener));
  }
}
