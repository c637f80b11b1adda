/**
 * One conversation on one node: whatever comes, from here or from other nodes, late, doubled or in the wrong order, the
 * listeners hear its changes once each, in the order of their numbers, without a gap.
 *
 * `position` is the number delivered last. The next one goes out; an old one is dropped; a later one is held until those
 * before it are there, and fetched from storage when they do not come by themselves.
 */
import type { Change, Signal } from "../core/events.ts";
import type { DeliveryStore, Position } from "../core/store.ts";
import { Delivery } from "./delivery.ts";
import { NumberTracker } from "./number-tracker.ts";

export interface ConversationListener {
  /** Who listens: they must be a member. */
  readonly userId: string;
  /** The version of the membership by which they are known to be one. */
  readonly membership: number;
  /** Called in order. Changes come in the order of `seq`; signals as they happen. */
  hear(delivery: Delivery): void;
  /** No longer a member. Nothing more is heard. */
  expelled(): void;
  /** Read marks may have gone unheard: what rests on them is to be read again. */
  missedReads(): void;
}

export interface FeedLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface FeedOptions {
  readonly conversationId: string;
  readonly store: Pick<DeliveryStore, "changes" | "membersAmong">;
  readonly log: FeedLog;
}

/** Nodes that commit at the same moment reach a third one in any order; this long, in ms, a gap may close by itself. */
const PATIENCE = 25;
/** Between two tries while storage does not answer, in ms. */
const RETRY = 500;
const CHANGES_PER_FETCH = 500;

type FeedState =
  /** Subscribed, but where the conversation stands is not known yet: everything is held. */
  | "starting"
  | "live"
  /** The next change was made by a later membership than this node knows: it waits for who is still in. */
  | "checking_members"
  | "closed";

export class ConversationFeed {
  readonly conversationId: string;
  readonly #options: FeedOptions;
  readonly #listeners = new Set<ConversationListener>();
  readonly #held = new Map<number, Change>();
  readonly #reads = new NumberTracker();
  #state: FeedState = "starting";
  #position = 0;
  #membership = 0;
  /** The oldest membership that a listener came with while the members were being checked without it. */
  #addedWhileChecking = Number.POSITIVE_INFINITY;
  /** The highest number known to exist. */
  #announced = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: FeedOptions) {
    this.conversationId = options.conversationId;
    this.#options = options;
  }

  get position(): number {
    return this.#position;
  }

  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  add(listener: ConversationListener): void {
    const { membership } = listener;
    this.#listeners.add(listener);
    if (this.#state === "checking_members") this.#addedWhileChecking = Math.min(this.#addedWhileChecking, membership);
    else if (this.#state === "live" && membership < this.#membership) this.#recheckMembers();
  }

  delete(listener: ConversationListener): void {
    this.#listeners.delete(listener);
  }

  /** Everything after `position` will be heard. */
  start(position: Position): void {
    if (this.#state !== "starting") return;
    this.#position = position.seq;
    this.#announced = Math.max(this.#announced, position.seq);
    this.#membership = position.membership;
    this.#reads.start(position.reads);
    this.#state = "live";
    for (const seq of this.#held.keys()) if (seq <= this.#position) this.#held.delete(seq);
    const isUnchecked = [...this.#listeners].some((listener) => listener.membership < position.membership);
    if (isUnchecked) this.#recheckMembers();
    else this.#deliverHeld();
  }

  close(): void {
    this.#state = "closed";
    this.#held.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  change(change: Change): void {
    if (this.#state === "closed" || (this.#state !== "starting" && change.seq <= this.#position)) return;
    this.#held.set(change.seq, change);
    this.#announced = Math.max(this.#announced, change.seq);
    this.#deliverHeld();
  }

  signal(signal: Signal): void {
    switch (signal.type) {
      case "messages_read":
        this.#reads.take(signal.reads);
        break;
      case "member_removed":
        this.#expel(({ userId, membership }) => userId === signal.user.id && membership < signal.membership);
        break;
      case "members_added":
      case "typing":
      case "group_updated":
      case "presence_changed":
        break;
    }
    if (this.#state !== "closed") this.#deliver(new Delivery(signal));
  }

  /** What storage says now, against what was heard. */
  compare(position: Position): void {
    if (this.#state !== "live") return;
    if (position.membership > this.#membership) this.#recheckMembers();
    if (!this.#reads.isUpTo(position.reads)) {
      this.#reads.start(position.reads);
      for (const listener of this.#listeners) listener.missedReads();
    }
    this.#announced = Math.max(this.#announced, position.seq);
    if (this.#position < this.#announced) this.#fetchSoon(0);
  }

  #deliverHeld(): void {
    while (this.#state === "live") {
      const next = this.#held.get(this.#position + 1);
      if (next === undefined) break;
      if (next.membership > this.#membership) {
        this.#recheckMembers();
        return;
      }
      this.#held.delete(next.seq);
      this.#position = next.seq;
      this.#deliver(new Delivery(next));
    }
    if (this.#state === "live" && this.#position < this.#announced) this.#fetchSoon(PATIENCE);
  }

  #deliver(delivery: Delivery): void {
    for (const listener of this.#listeners) listener.hear(delivery);
  }

  #fetchSoon(delay: number): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#fetch().catch((error: unknown) => this.#retry(error, "missed changes could not be fetched"));
    }, delay);
  }

  /** Fills the gap from storage. What came by itself meanwhile is simply an old number then. */
  async #fetch(): Promise<void> {
    if (this.#state !== "live" || this.#position >= this.#announced) return;
    const { store, conversationId } = this.#options;
    const changes = await store.changes(conversationId, this.#position, this.#announced, CHANGES_PER_FETCH);
    for (const change of changes) this.change(change);
    // More than one fetch's worth is missing, or storage does not have yet what was announced.
    if (this.#state === "live" && this.#position < this.#announced) this.#fetchSoon(changes.length > 0 ? 0 : RETRY);
  }

  #recheckMembers(): void {
    if (this.#state === "closed" || this.#state === "checking_members") return;
    this.#state = "checking_members";
    this.#checkMembers().catch((error: unknown) => {
      if (this.#state === "checking_members") this.#state = "live";
      this.#retry(error, "members could not be checked");
    });
  }

  async #checkMembers(): Promise<void> {
    const { store, conversationId } = this.#options;
    const userIds = new Set([...this.#listeners].map((listener) => listener.userId));
    const { membership, userIds: present } = await store.membersAmong(conversationId, [...userIds]);
    if (this.#state !== "checking_members") return;
    const members = new Set(present);
    this.#expel(
      (listener) => userIds.has(listener.userId) && !members.has(listener.userId) && listener.membership < membership,
    );
    this.#membership = Math.max(this.#membership, membership);
    this.#state = "live";
    const isUnchecked = this.#addedWhileChecking < this.#membership;
    this.#addedWhileChecking = Number.POSITIVE_INFINITY;
    if (isUnchecked) this.#recheckMembers();
    else this.#deliverHeld();
  }

  #expel(isExpelled: (listener: ConversationListener) => boolean): void {
    for (const listener of this.#listeners) {
      if (!isExpelled(listener)) continue;
      this.#listeners.delete(listener);
      listener.expelled();
    }
  }

  #retry(error: unknown, message: string): void {
    if (this.#state === "closed") return;
    this.#options.log.warn({ conversation: this.conversationId, position: this.#position, err: error }, message);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#deliverHeld();
    }, RETRY);
  }
}
