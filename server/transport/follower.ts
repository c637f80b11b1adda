import { type ConversationEvent, isChange } from "../core/events.ts";
import type { Membership } from "../core/store.ts";
import type { ConversationListener } from "./conversation-feed.ts";
import type { Delivery } from "./delivery.ts";
import { lengthOf } from "./held-changes.ts";

/** Who follows the user's conversations, and is told what is heard in one. */
export interface FollowingFeed {
  /** In the order of the conversation. */
  receive(delivery: Delivery<ConversationEvent>): void;
  recount(conversationId: string): void;
  forget(conversationId: string): void;
}

/** Deliveries that one follower keeps, and characters in them; later changes are read from storage instead. */
const MAX_KEPT = 1_000;
const MAX_KEPT_TEXT = 1024 * 1024;

/** One user's ear in one conversation. Until it is live it keeps what it hears, within a bound. */
export class Follower implements ConversationListener {
  readonly userId: string;
  readonly joinedAs: Membership;
  membership: number;
  readonly #feed: FollowingFeed;
  /** The number passed on last. What the conversation counted before they joined is not news to them. */
  #position: number;
  #kept: Delivery[] | null = [];
  #keptText = 0;
  /** The first change that was not kept. */
  #firstDropped: number | null = null;
  #hasDroppedReads = false;

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

  /**
   * Passes on what was kept. False when more was heard than that: it goes on keeping, and whoever asked reads the changes
   * after `position` from storage, passes them on, and asks again.
   */
  goLive(): boolean {
    const kept = this.#kept ?? [];
    this.#keptText = 0;
    const firstDropped = this.#firstDropped;
    this.#firstDropped = null;
    this.#kept = firstDropped === null ? null : [];
    for (const delivery of kept) this.pass(delivery);
    if (this.#hasDroppedReads) {
      this.#hasDroppedReads = false;
      this.#feed.recount(this.conversationId);
    }
    if (firstDropped === null) return true;
    this.#position = Math.max(this.#position, firstDropped - 1);
    return false;
  }

  hear(delivery: Delivery): void {
    if (this.#kept === null) this.pass(delivery);
    else this.#keep(this.#kept, delivery);
  }

  #keep(kept: Delivery[], delivery: Delivery): void {
    const { event } = delivery;
    const isFull = kept.length >= MAX_KEPT || this.#keptText >= MAX_KEPT_TEXT;
    if (isChange(event)) {
      // Once one is missing, those behind it come from storage too, so that the order stays.
      if (isFull) this.#firstDropped ??= event.seq;
      if (this.#firstDropped !== null) return;
      this.#keptText += lengthOf(event);
    } else if (isFull) {
      if (event.type === "messages_read") this.#hasDroppedReads = true;
      return;
    }
    kept.push(delivery);
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
