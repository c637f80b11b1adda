import { type ConversationEvent, isChange } from "../core/events.ts";
import type { Membership } from "../core/store.ts";
import type { ConversationListener } from "./conversation-feed.ts";
import type { Delivery } from "./delivery.ts";

/** Who follows the user's conversations, and is told what is heard in one. */
export interface FollowingFeed {
  /** In the order of the conversation. */
  receive(delivery: Delivery<ConversationEvent>): void;
  recount(conversationId: string): void;
  forget(conversationId: string): void;
}

/** One user's ear in one conversation. Until it is live it keeps what it hears. */
export class Follower implements ConversationListener {
  readonly userId: string;
  readonly joinedAs: Membership;
  membership: number;
  readonly #feed: FollowingFeed;
  /** The number passed on last. What the conversation counted before they joined is not news to them. */
  #position: number;
  #kept: Delivery[] | null = [];

  constructor(feed: FollowingFeed, membership: Membership, userId: string) {
    this.#feed = feed;
    this.joinedAs = membership;
    this.membership = membership.membership;
    this.#position = membership.from;
    this.userId = userId;
  }

  get conversationId(): string {
    return this.joinedAs.conversationId;
  }

  get position(): number {
    return this.#position;
  }

  /** They were seen to be a member later on: an older removal does not concern them. False: that was known. */
  renew({ membership }: Membership): boolean {
    if (membership <= this.membership) return false;
    this.membership = membership;
    return true;
  }

  goLive(): void {
    const kept = this.#kept ?? [];
    this.#kept = null;
    for (const delivery of kept) this.pass(delivery);
  }

  hear(delivery: Delivery): void {
    if (this.#kept === null) this.pass(delivery);
    else this.#kept.push(delivery);
  }

  pass(delivery: Delivery): void {
    const { event } = delivery;
    if (isChange(event)) {
      if (event.seq <= this.#position) return;
      this.#position = event.seq;
    }
    this.#feed.receive(delivery);
  }

  expelled(): void {
    this.#feed.forget(this.conversationId);
  }

  missedReads(): void {
    this.#feed.recount(this.conversationId);
  }
}
