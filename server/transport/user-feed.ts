/**
 * What one user hears on one node: every conversation they are in, followed as they come and go, and their unread counts,
 * kept exact. Shared by all their sockets that ask for it, so that ten badges cost what one does.
 */
import type { ConversationEvent, UserEvent } from "../core/events.ts";
import type { Standing } from "../core/model.ts";
import type { Outage } from "../core/outage.ts";
import type { DeliveryStore, Membership, UnreadStore } from "../core/store.ts";
import { UnreadLedger } from "../core/unread.ts";
import { Coalesced } from "./coalesced.ts";
import type { FeedLog } from "./conversation-feed.ts";
import { Delivery } from "./delivery.ts";
import { Follower } from "./follower.ts";
import type { Hub, UserListener } from "./hub.ts";
import { Retries } from "./retries.ts";
import { type UserFeedListener, UserFeedListeners } from "./user-feed-listener.ts";

export type { UserFeedListener } from "./user-feed-listener.ts";

export interface UserFeedStore extends Pick<DeliveryStore, "memberships" | "changes">, UnreadStore {}

export interface UserFeedOptions {
  readonly userId: string;
  readonly hub: Hub;
  readonly store: UserFeedStore;
  readonly log: FeedLog;
  /** Of all users: they fail together. */
  readonly outage: Outage;
}

const CHANGES_PER_FETCH = 500;

/** "in turn": what a reset, or a failure, asks for; everybody else's is asked for at the same moment. */
type When = "now" | "in turn";

export class UserFeed implements UserListener {
  readonly ledger: UnreadLedger;
  readonly #options: UserFeedOptions;
  readonly #listeners: UserFeedListeners;
  readonly #followed = new Map<string, Follower>();
  /** How often a conversation was left, as far as events say. */
  #leavings = 0;
  #state: "opening" | "open" | "closed" = "opening";
  readonly #refreshes = new Coalesced(
    (begun) => this.#refreshInTurn(begun),
    (error) => this.#again("refresh", error, () => this.missedEvents()),
  );
  /** Conversations whose count is being read again, or waits for its turn. */
  readonly #recounting = new Set<string>();
  readonly #retries: Retries;

  constructor(options: UserFeedOptions) {
    this.#options = options;
    this.#listeners = new UserFeedListeners(options.hub.faults, options.userId);
    this.ledger = new UnreadLedger(options.userId);
    this.#retries = new Retries(options.outage);
  }

  get isEmpty(): boolean {
    return this.#listeners.isEmpty;
  }

  get conversationIds(): IterableIterator<string> {
    return this.#followed.keys();
  }

  add(listener: UserFeedListener): void {
    this.#listeners.add(listener);
  }

  delete(listener: UserFeedListener): void {
    this.#listeners.delete(listener);
  }

  /** Two subscriptions and three queries, however many conversations and messages there are. */
  async open(): Promise<void> {
    const { hub, store, userId } = this.#options;
    await hub.listenToUser(userId, this);
    const memberships = await store.memberships(userId);
    for (const follower of await this.#follow(memberships)) {
      if (!follower.goLive()) this.#catchUp(follower, "in turn");
    }
    for (const standing of await store.standings(userId)) this.#load(standing, "silently");
    if (this.#state === "opening") this.#state = "open";
  }

  close(): void {
    this.#state = "closed";
    const { hub, userId } = this.#options;
    hub.leaveUser(userId, this);
    hub.leaveAll([...this.#followed].map(([conversationId, listener]) => ({ conversationId, listener })));
    this.#followed.clear();
    this.#retries.close();
  }

  hear(event: UserEvent): void {
    switch (event.type) {
      case "conversation_joined":
        this.#join(event);
        return;
      case "conversation_left":
        if ((this.#followed.get(event.conversationId)?.membership ?? 0) < event.membership) {
          this.forget(event.conversationId);
        }
        return;
    }
  }

  missedEvents(): void {
    this.#refreshes.request();
  }

  /** A conversation that was joined unheard shows here alone: nothing of it is listened to. */
  compare(conversations: number): void {
    if (this.#state === "open" && this.#followed.size !== conversations) this.missedEvents();
  }

  /** One conversation's events, from its follower, in order. */
  receive(delivery: Delivery<ConversationEvent>): void {
    this.#listeners.hear(delivery);
    const notices = this.ledger.hear(delivery.event);
    if (notices === "stale") this.recount(delivery.event.conversationId);
    else this.#listeners.notice(notices);
  }

  recount(conversationId: string): void {
    const follower = this.#followed.get(conversationId);
    if (follower === undefined) return;
    this.ledger.expect(conversationId);
    if (this.#recounting.has(conversationId)) return;
    this.#recounting.add(conversationId);
    const { turns } = this.#options.hub;
    turns
      .take(() => {
        // From here on another loss asks for another count.
        this.#recounting.delete(conversationId);
        return this.#recount(follower);
      })
      .catch((error: unknown) => this.#again(`count ${conversationId}`, error, () => this.recount(conversationId)));
  }

  /** No longer a member: nothing more is heard of it, and it counts no more. */
  forget(conversationId: string): void {
    this.#leavings += 1;
    this.#drop(conversationId);
  }

  #drop(conversationId: string): void {
    const follower = this.#followed.get(conversationId);
    if (follower === undefined) return;
    this.#followed.delete(conversationId);
    this.#options.hub.leave(conversationId, follower);
    this.#listeners.notice(this.ledger.forget(conversationId));
    this.#listeners.left(conversationId);
  }

  async #recount(follower: Follower): Promise<void> {
    const { store, userId } = this.#options;
    if (!this.#isFollowing(follower)) return;
    const { conversationId, membership } = follower;
    const standing = await store.standing(userId, conversationId);
    if (!this.#isFollowing(follower)) return;
    if (standing !== null) this.#load(standing, "aloud");
    // Unless they were added again while storage was asked; then that is counted.
    else if (follower.membership === membership) this.forget(conversationId);
  }

  #load(standing: Standing, manner: "silently" | "aloud"): void {
    const notices = this.ledger.load(standing);
    if (notices === "stale") this.recount(standing.conversationId);
    else if (manner === "aloud") this.#listeners.notice(notices);
  }

  #join(membership: Membership): void {
    const follower = this.#followed.get(membership.conversationId);
    if (follower === undefined) {
      const { conversationId } = membership;
      this.#joinAll([membership], "now").catch((error: unknown) => {
        this.#again(`join ${conversationId}`, error, () => this.#join(membership));
      });
    } else if (follower.renew(membership)) {
      // Removed and added again: what was unread before is not any more.
      this.recount(membership.conversationId);
    }
  }

  async #joinAll(memberships: readonly Membership[], when: When): Promise<void> {
    for (const follower of await this.#follow(memberships)) {
      this.#listeners.joined(follower.joinedAs);
      this.#catchUp(follower, when);
    }
  }

  /**
   * Listens to those that are not followed yet, and resolves with their followers, which keep what they hear until they go
   * live. When it rejects, none is followed.
   */
  async #follow(memberships: readonly Membership[]): Promise<Follower[]> {
    if (this.#state === "closed") return [];
    const { hub, userId } = this.#options;
    const followers = memberships
      .filter(({ conversationId }) => !this.#followed.has(conversationId))
      .map((membership) => new Follower(this, membership, userId));
    for (const follower of followers) {
      this.#followed.set(follower.conversationId, follower);
      this.ledger.expect(follower.conversationId);
    }
    try {
      await hub.listen(followers.map((listener) => ({ conversationId: listener.conversationId, listener })));
    } catch (error) {
      for (const follower of followers) if (this.#isFollowing(follower)) this.#followed.delete(follower.conversationId);
      throw error;
    }
    return followers.filter((follower) => this.#isFollowing(follower));
  }

  #isFollowing(follower: Follower): boolean {
    return this.#followed.get(follower.conversationId) === follower;
  }

  #catchUp(follower: Follower, when: When): void {
    const tell = () => this.#tellSinceJoined(follower);
    (when === "now" ? tell() : this.#options.hub.turns.take(tell)).catch((error: unknown) => {
      const { conversationId } = follower;
      this.#again(`catch up ${conversationId}`, error, () => this.#catchUp(follower, "in turn"));
    });
  }

  /** Everything since they joined is news to them: also what was said, or read elsewhere, before this node listened. */
  async #tellSinceJoined(follower: Follower): Promise<void> {
    if (!this.#isFollowing(follower)) return;
    const { hub, store, userId } = this.#options;
    const { conversationId } = follower;
    const { from } = follower.joinedAs;
    const upTo = hub.position(conversationId);
    const standing =
      upTo <= from
        ? { conversationId, userId, cursor: from, unread: 0, asOf: from }
        : await store.standing(userId, conversationId);
    if (!this.#isFollowing(follower)) return;
    // The messages that it counts are told of one by one.
    if (standing !== null) this.#load(standing, "silently");
    await this.#passUpTo(follower, upTo);
  }

  async #passUpTo(follower: Follower, target: number): Promise<void> {
    const { hub, store } = this.#options;
    const { conversationId } = follower;
    let upTo = target;
    while (this.#isFollowing(follower)) {
      if (follower.position >= upTo) {
        if (follower.goLive()) return;
        upTo = hub.position(conversationId);
        continue;
      }
      const changes = await store.changes(conversationId, follower.position, upTo, CHANGES_PER_FETCH);
      if (!this.#isFollowing(follower)) return;
      if (changes.length === 0) throw new Error(`storage lacks what was delivered of ${conversationId}`);
      for (const change of changes) follower.pass(new Delivery(change));
    }
  }

  async #refreshInTurn(begun: () => void): Promise<void> {
    const { hub, outage } = this.#options;
    await hub.turns.take(() => {
      begun();
      return this.#refresh();
    });
    outage.works();
  }

  /** After the layer was away: conversations may have come or gone, and counts moved, unheard. */
  async #refresh(): Promise<void> {
    if (this.#state === "closed") return;
    const { store, userId } = this.#options;
    const leavings = this.#leavings;
    const before = [...this.#followed.values()].map((follower) => ({ follower, membership: follower.membership }));
    const memberships = await store.memberships(userId);
    const present = new Set(memberships.map(({ conversationId }) => conversationId));
    for (const { follower, membership } of before) {
      const { conversationId } = follower;
      // Unless they were added, or added again, while storage was asked.
      const isSame = this.#isFollowing(follower) && follower.membership === membership;
      if (isSame && !present.has(conversationId)) this.#drop(conversationId);
    }
    for (const membership of memberships) this.#followed.get(membership.conversationId)?.renew(membership);
    for (const conversationId of this.#followed.keys()) this.ledger.expect(conversationId);
    for (const standing of await store.standings(userId)) this.#load(standing, "aloud");
    // What they left meanwhile is not to be followed by the membership that they had; they may have another since.
    if (leavings !== this.#leavings) await this.#refresh();
    else await this.#joinAll(memberships, "in turn");
  }

  #again(what: string, err: unknown, retry: () => void): void {
    this.#retries.add(what, { user: this.#options.userId, err }, retry);
  }
}
