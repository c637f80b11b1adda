/**
 * What one user hears on one node: every conversation they are in, followed as they come and go, and their unread counts,
 * kept exact. Shared by all their sockets that ask for it, so that ten badges cost what one does.
 */
import { type ConversationEvent, isChange, type UserEvent } from "../core/events.ts";
import type { Standing } from "../core/model.ts";
import type { DeliveryStore, Membership, UnreadStore } from "../core/store.ts";
import { type Notice, UnreadLedger } from "../core/unread.ts";
import type { ConversationListener, FeedLog } from "./conversation-feed.ts";
import { Delivery } from "./delivery.ts";
import type { Hub, UserListener } from "./hub.ts";

export interface UserFeedListener {
  /** Everything of every conversation, in the order of each. */
  hear?(delivery: Delivery): void;
  /** A count changed, or a message of another's came; the ledger has the numbers. */
  notice?(notice: Notice): void;
  /** A new conversation: called before anything of it is heard. */
  joined?(membership: Membership): void;
  left?(conversationId: string): void;
}

export interface UserFeedStore extends Pick<DeliveryStore, "memberships" | "changes">, UnreadStore {}

export interface UserFeedOptions {
  readonly userId: string;
  readonly hub: Hub;
  readonly store: UserFeedStore;
  readonly log: FeedLog;
}

/** Between two tries while storage or the layer does not answer, in ms. */
const RETRY = 1_000;
const CHANGES_PER_FETCH = 500;

export class UserFeed implements UserListener {
  readonly ledger: UnreadLedger;
  readonly #options: UserFeedOptions;
  readonly #listeners = new Set<UserFeedListener>();
  readonly #followed = new Map<string, Follower>();
  #closed = false;

  constructor(options: UserFeedOptions) {
    this.#options = options;
    this.ledger = new UnreadLedger(options.userId);
  }

  get isEmpty(): boolean {
    return this.#listeners.size === 0;
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
    await this.#follow(memberships, (follower) => follower.goLive());
    for (const standing of await store.standings(userId)) this.#load(standing, "silently");
  }

  close(): void {
    this.#closed = true;
    const { hub, userId } = this.#options;
    hub.leaveUser(userId, this);
    for (const [conversationId, follower] of this.#followed) hub.leave(conversationId, follower);
    this.#followed.clear();
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
    this.#refresh().catch((error: unknown) => this.#again(error, () => this.missedEvents()));
  }

  /** One conversation's events, from its follower, in order. */
  receive(delivery: Delivery<ConversationEvent>): void {
    for (const listener of this.#listeners) listener.hear?.(delivery);
    const notices = this.ledger.hear(delivery.event);
    if (notices === "stale") this.recount(delivery.event.conversationId);
    else this.#tell(notices);
  }

  recount(conversationId: string): void {
    this.ledger.expect(conversationId);
    this.#recount(conversationId).catch((error: unknown) => this.#again(error, () => this.recount(conversationId)));
  }

  /** No longer a member: nothing more is heard of it, and it counts no more. */
  forget(conversationId: string): void {
    const follower = this.#followed.get(conversationId);
    if (follower === undefined) return;
    this.#followed.delete(conversationId);
    this.#options.hub.leave(conversationId, follower);
    this.#tell(this.ledger.forget(conversationId));
    for (const listener of this.#listeners) listener.left?.(conversationId);
  }

  async #recount(conversationId: string): Promise<void> {
    const { store, userId } = this.#options;
    const standing = await store.standing(userId, conversationId);
    if (standing === null) this.forget(conversationId);
    else this.#load(standing, "aloud");
  }

  #load(standing: Standing, manner: "silently" | "aloud"): void {
    const notices = this.ledger.load(standing);
    if (notices === "stale") this.recount(standing.conversationId);
    else if (manner === "aloud") this.#tell(notices);
  }

  #tell(notices: readonly Notice[]): void {
    for (const notice of notices) for (const listener of this.#listeners) listener.notice?.(notice);
  }

  #join(membership: Membership): void {
    if (this.#closed) return;
    this.#joinAll([membership]).catch((error: unknown) => this.#again(error, () => this.#join(membership)));
  }

  /** Everything since they joined is news to them: also what was said before this node listened. */
  async #joinAll(memberships: readonly Membership[]): Promise<void> {
    for (const membership of memberships) this.#followed.get(membership.conversationId)?.renew(membership);
    const fresh = memberships.filter(({ conversationId }) => !this.#followed.has(conversationId));
    for (const membership of fresh) for (const listener of this.#listeners) listener.joined?.(membership);
    await this.#follow(fresh, (follower, { conversationId, from }) => {
      this.#load({ conversationId, userId: this.#options.userId, cursor: from, unread: 0, asOf: from }, "aloud");
      return this.#catchUp(follower, from);
    });
  }

  async #follow(
    memberships: readonly Membership[],
    begin: (follower: Follower, membership: Membership) => void | Promise<void>,
  ): Promise<void> {
    const { hub } = this.#options;
    const fresh = memberships.map((membership) => {
      const follower = new Follower(this, membership, this.#options.userId);
      this.#followed.set(membership.conversationId, follower);
      this.ledger.expect(membership.conversationId);
      return { membership, follower };
    });
    try {
      await hub.listen(
        fresh.map(({ membership, follower }) => ({
          conversationId: membership.conversationId,
          listener: follower,
        })),
      );
      if (this.#closed) return this.close();
      await Promise.all(fresh.map(({ follower, membership }) => begin(follower, membership)));
    } catch (error) {
      for (const { membership, follower } of fresh) {
        this.#followed.delete(membership.conversationId);
        hub.leave(membership.conversationId, follower);
      }
      throw error;
    }
  }

  async #catchUp(follower: Follower, from: number): Promise<void> {
    const { hub, store } = this.#options;
    const { conversationId } = follower;
    const upTo = hub.position(conversationId);
    for (let position = from; position < upTo; ) {
      const changes = await store.changes(conversationId, position, upTo, CHANGES_PER_FETCH);
      for (const change of changes) this.receive(new Delivery(change));
      const last = changes.at(-1);
      if (last === undefined) break;
      position = last.seq;
    }
    follower.goLive(upTo);
  }

  /** After the layer was away: conversations may have come or gone, and counts moved, unheard. */
  async #refresh(): Promise<void> {
    const { store, userId } = this.#options;
    const memberships = await store.memberships(userId);
    if (this.#closed) return;
    const present = new Set(memberships.map(({ conversationId }) => conversationId));
    for (const conversationId of [...this.#followed.keys()]) {
      if (!present.has(conversationId)) this.forget(conversationId);
      else this.ledger.expect(conversationId);
    }
    const standings = await store.standings(userId);
    for (const standing of standings) this.#load(standing, "aloud");
    await this.#joinAll(memberships);
  }

  #again(error: unknown, retry: () => void): void {
    if (this.#closed) return;
    this.#options.log.warn({ user: this.#options.userId, err: error }, "a user's conversations could not be followed");
    setTimeout(() => {
      if (!this.#closed) retry();
    }, RETRY).unref();
  }
}

/** One user's ear in one conversation. Until it is live it keeps what it hears. */
class Follower implements ConversationListener {
  readonly conversationId: string;
  readonly userId: string;
  membership: number;
  readonly #feed: UserFeed;
  #kept: Delivery[] | null = [];

  constructor(feed: UserFeed, { conversationId, membership }: Membership, userId: string) {
    this.#feed = feed;
    this.conversationId = conversationId;
    this.membership = membership;
    this.userId = userId;
  }

  /** They were seen to be a member later on: an older removal does not concern them. */
  renew({ membership }: Membership): void {
    this.membership = Math.max(this.membership, membership);
  }

  /** Everything up to `upTo` has been delivered otherwise. */
  goLive(upTo = 0): void {
    const kept = this.#kept ?? [];
    this.#kept = null;
    for (const delivery of kept) {
      if (!isChange(delivery.event) || delivery.event.seq > upTo) this.#feed.receive(delivery);
    }
  }

  hear(delivery: Delivery): void {
    if (this.#kept === null) this.#feed.receive(delivery);
    else this.#kept.push(delivery);
  }

  expelled(): void {
    this.#feed.forget(this.conversationId);
  }

  missedReads(): void {
    this.#feed.recount(this.conversationId);
  }
}
