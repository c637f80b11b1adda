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
import type { Turns } from "./turns.ts";

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
  /** Where what storage is asked to make up for a loss waits for its turn. */
  readonly turns: Turns;
}

/** Nodes that commit at the same moment reach a third one in any order; this long, in ms, a gap may close by itself. */
const PATIENCE = 25;
/** Between two tries while storage does not answer, in ms. */
const RETRY = 500;
const CHANGES_PER_FETCH = 500;
/** A read mark that storage knows may still be on its way here; this long, in ms, before it counts as missed. */
const READS_PATIENCE = 1_000;

type FeedState =
  /** Subscribed, but where the conversation stands is not known yet: everything is held. */
  | "starting"
  | "live"
  /** The next change was made by a later membership than this node knows: it waits for who is still in. */
  | "checking_members"
  | "closed";

/** What is being done about numbers that are known to exist and are not here. */
type Repair =
  | { readonly state: "idle" }
  | { readonly state: "waiting"; readonly timer: NodeJS.Timeout }
  /** One query at a time, however much is announced meanwhile. */
  | { readonly state: "fetching" };

export class ConversationFeed {
  readonly conversationId: string;
  readonly #options: FeedOptions;
  readonly #listeners = new Set<ConversationListener>();
  readonly #held = new Map<number, Change>();
  readonly #reads = new NumberTracker();
  #state: FeedState = "starting";
  #position = 0;
  /** The membership's version by which all listeners were found to be members. */
  #membership = 0;
  /** The highest version heard of: whoever comes with an older one may have been removed in between. */
  #announcedMembership = 0;
  /** The oldest membership that a listener came with while the members were being checked without it. */
  #addedWhileChecking = Number.POSITIVE_INFINITY;
  /** The highest number known to exist. */
  #announced = 0;
  #repair: Repair = { state: "idle" };
  #membersRetry: NodeJS.Timeout | null = null;
  #readsCheck: NodeJS.Timeout | null = null;

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
    else if (this.#state === "live" && membership < this.#latestMembership) this.#recheckMembers();
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
    const latest = this.#latestMembership;
    const isUnchecked = [...this.#listeners].some((listener) => listener.membership < latest);
    if (isUnchecked) this.#recheckMembers();
    else this.#deliverHeld();
  }

  close(): void {
    this.#state = "closed";
    this.#held.clear();
    if (this.#repair.state === "waiting") clearTimeout(this.#repair.timer);
    this.#repair = { state: "idle" };
    for (const timer of [this.#membersRetry, this.#readsCheck]) if (timer !== null) clearTimeout(timer);
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
        this.#announcedMembership = Math.max(this.#announcedMembership, signal.membership);
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
    if (this.#state === "closed") return;
    this.#announced = Math.max(this.#announced, position.seq);
    this.#announcedMembership = Math.max(this.#announcedMembership, position.membership);
    // Otherwise the end of the start or of the check looks at both.
    if (this.#state !== "live") return;
    this.#checkReads(position.reads);
    if (this.#announcedMembership > this.#membership) this.#recheckMembers("in turn");
    else this.#deliverHeld();
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
    for (const listener of this.#listeners) {
      try {
        listener.hear(delivery);
      } catch (error) {
        // A fault of ours with one listener; the others, and whoever committed this, have no part in it.
        const { type } = delivery.event;
        this.#options.log.error({ conversation: this.conversationId, event: type, err: error }, "a listener failed");
      }
    }
  }

  #fetchSoon(delay: number): void {
    if (this.#repair.state !== "idle") return;
    const timer = setTimeout(() => {
      this.#repair = { state: "fetching" };
      this.#options.turns
        .take(() => this.#fetch())
        .then(
          (delayOfNext) => this.#fetched(delayOfNext),
          (error: unknown) => {
            this.#warn(error, "missed changes could not be fetched");
            this.#fetched(RETRY);
          },
        );
    }, delay);
    this.#repair = { state: "waiting", timer };
  }

  /**
   * Fills the gap from storage. What came by itself meanwhile is simply an old number then. Resolves with how long to wait,
   * in ms, should there still be a gap: more than one fetch's worth is missing, or storage does not have it yet.
   */
  async #fetch(): Promise<number> {
    if (this.#state !== "live" || this.#position >= this.#announced) return 0;
    const { store, conversationId } = this.#options;
    const changes = await store.changes(conversationId, this.#position, this.#announced, CHANGES_PER_FETCH);
    for (const change of changes) this.change(change);
    return changes.length > 0 ? 0 : RETRY;
  }

  #fetched(delayOfNext: number): void {
    this.#repair = { state: "idle" };
    if (this.#state === "live" && this.#position < this.#announced) this.#fetchSoon(delayOfNext);
  }

  #checkReads(reads: number): void {
    if (this.#reads.isUpTo(reads) || this.#readsCheck !== null) return;
    this.#readsCheck = setTimeout(() => {
      this.#readsCheck = null;
      if (this.#reads.isUpTo(reads)) return;
      this.#reads.start(reads);
      for (const listener of this.#listeners) listener.missedReads();
    }, READS_PATIENCE);
  }

  get #latestMembership(): number {
    return Math.max(this.#membership, this.#announcedMembership);
  }

  /** "in turn": a comparison found it out, perhaps for many conversations at once. */
  #recheckMembers(when: "now" | "in turn" = "now"): void {
    if (this.#state === "closed" || this.#state === "checking_members") return;
    this.#state = "checking_members";
    this.#checkMembers(when);
  }

  /** Until storage answers, nothing with a number goes out: better late than to somebody who was removed. */
  #checkMembers(when: "now" | "in turn"): void {
    const ask = () => this.#askForMembers();
    (when === "now" ? ask() : this.#options.turns.take(ask)).catch((error: unknown) => {
      if (this.#state !== "checking_members") return;
      this.#warn(error, "members could not be checked");
      this.#membersRetry = setTimeout(() => this.#checkMembers("in turn"), RETRY);
    });
  }

  async #askForMembers(): Promise<void> {
    if (this.#state !== "checking_members") return;
    const { store, conversationId } = this.#options;
    const userIds = new Set([...this.#listeners].map((listener) => listener.userId));
    this.#addedWhileChecking = Number.POSITIVE_INFINITY;
    const { membership, userIds: present } = await store.membersAmong(conversationId, [...userIds]);
    if (this.#state !== "checking_members") return;
    const members = new Set(present);
    this.#expel(
      (listener) => userIds.has(listener.userId) && !members.has(listener.userId) && listener.membership < membership,
    );
    // The last listener may have gone with that.
    if (this.#state !== "checking_members") return;
    this.#membership = Math.max(this.#membership, membership);
    this.#state = "live";
    if (this.#addedWhileChecking < this.#latestMembership) this.#recheckMembers();
    else this.#deliverHeld();
  }

  #expel(isExpelled: (listener: ConversationListener) => boolean): void {
    for (const listener of this.#listeners) {
      if (!isExpelled(listener)) continue;
      this.#listeners.delete(listener);
      listener.expelled();
    }
  }

  #warn(error: unknown, message: string): void {
    if (this.#state === "closed") return;
    this.#options.log.warn({ conversation: this.conversationId, position: this.#position, err: error }, message);
  }
}
