/**
 * One conversation on one node: whatever comes, from here or from other nodes, late, doubled or in the wrong order, the
 * listeners hear its changes once each, in the order of their numbers, without a gap.
 *
 * `position` is the number delivered last. The next one goes out; an old one is dropped; a later one is held until those
 * before it are there, and fetched from storage when they do not come by themselves.
 */
import type { Change, Signal } from "../core/events.ts";
import type { Outage } from "../core/outage.ts";
import type { DeliveryStore, Position } from "../core/store.ts";
import type { ConversationListener } from "./conversation-listener.ts";
import { Delivery } from "./delivery.ts";
import { HeldChanges } from "./held-changes.ts";
import type { ListenerFaults } from "./listener-faults.ts";
import { ReadsHeard } from "./reads-heard.ts";
import type { Turns } from "./turns.ts";

export type { ConversationListener, FeedLog } from "./conversation-listener.ts";

export interface FeedOptions {
  readonly conversationId: string;
  readonly store: Pick<DeliveryStore, "changes" | "membersAmong">;
  /** Ended by what storage answers; shared by all feeds, since they fail together. */
  readonly outage: Outage;
  readonly faults: ListenerFaults;
  /** Where what storage is asked to make up for a loss waits for its turn. */
  readonly turns: Turns;
}

/** Nodes that commit at the same moment reach a third one in any order; this long, in ms, a gap may close by itself. */
const PATIENCE = 25;
/** Between two tries while storage does not answer, in ms. */
const RETRY = 500;
const CHANGES_PER_FETCH = 500;
/** So often in a row storage has nothing of what was announced, before the announcement counts as false. */
const FETCHES_IN_VAIN = 10;
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
  readonly #held = new HeldChanges();
  readonly #reads = new ReadsHeard(() => this.#missedReads());
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
  #fetchesInVain = 0;
  #membersRetry: NodeJS.Timeout | null = null;

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
    this.#held.dropUpTo(this.#position);
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
    if (this.#membersRetry !== null) clearTimeout(this.#membersRetry);
    this.#reads.close();
  }

  change(change: Change): void {
    if (this.#state === "closed" || (this.#state !== "starting" && change.seq <= this.#position)) return;
    this.#announced = Math.max(this.#announced, change.seq);
    // The next one always has room; what else is not kept will be fetched, as it is announced.
    this.#held.keep(change, change.seq === this.#position + 1);
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
      case "presence_listed":
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
    this.#reads.compare(position.reads);
    if (this.#announcedMembership > this.#membership) this.#recheckMembers("in turn");
    else this.#deliverHeld();
  }

  #deliverHeld(): void {
    while (this.#state === "live") {
      const next = this.#held.get(this.#position + 1);
      if (next === undefined) break;
      if (next.membership > this.#membership) {
        this.#announcedMembership = Math.max(this.#announcedMembership, next.membership);
        this.#recheckMembers();
        return;
      }
      this.#held.drop(next.seq);
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
        this.#options.faults.report("hear", error, { conversation: this.conversationId, event: type });
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
            this.#failed(error);
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
    this.#options.outage.works();
    for (const change of changes) this.change(change);
    if (changes.length > 0) {
      this.#fetchesInVain = 0;
      return 0;
    }
    this.#fetchesInVain += 1;
    if (this.#fetchesInVain >= FETCHES_IN_VAIN) this.#disbelieve();
    return RETRY;
  }

  /** Nobody stored what was announced. Were it true after all, the next comparison with storage says so. */
  #disbelieve(): void {
    this.#fetchesInVain = 0;
    this.#announced = this.#position;
    this.#held.clear();
  }

  #fetched(delayOfNext: number): void {
    this.#repair = { state: "idle" };
    if (this.#state === "live" && this.#position < this.#announced) this.#fetchSoon(delayOfNext);
  }

  #missedReads(): void {
    for (const listener of this.#listeners) {
      this.#options.faults.guard("missedReads", { conversation: this.conversationId }, () => listener.missedReads());
    }
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
      this.#failed(error);
      this.#membersRetry = setTimeout(() => this.#checkMembers("in turn"), RETRY);
    });
  }

  async #askForMembers(): Promise<void> {
    if (this.#state !== "checking_members") return;
    const { store, conversationId } = this.#options;
    const userIds = new Set([...this.#listeners].map((listener) => listener.userId));
    this.#addedWhileChecking = Number.POSITIVE_INFINITY;
    const heardBefore = this.#announcedMembership;
    const { membership, userIds: present } = await store.membersAmong(conversationId, [...userIds]);
    this.#options.outage.works();
    if (this.#state !== "checking_members") return;
    // Whoever speaks of a membership has committed it: one that storage does not know is none.
    if (this.#announcedMembership === heardBefore && heardBefore > membership) {
      this.#announcedMembership = membership;
      this.#held.dropLaterMemberships(membership);
    }
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
      this.#options.faults.guard("expelled", { conversation: this.conversationId }, () => listener.expelled());
    }
  }

  #failed(error: unknown): void {
    if (this.#state === "closed") return;
    this.#options.outage.fails({ conversation: this.conversationId, position: this.#position, err: error });
  }
}
