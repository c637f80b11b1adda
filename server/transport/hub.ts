/**
 * Where events meet sockets on this node. The core's own events go to local listeners at once and then to the layer; what
 * the layer brings goes to local listeners alone. A group is subscribed with its first local listener and left with its
 * last, so a node hears only what somebody on it listens to.
 */
import type { ChannelLayer } from "../channel-layer/layer.ts";
import { type ConversationEvent, type EventSink, isChange, type UserEvent } from "../core/events.ts";
import type { DeliveryStore } from "../core/store.ts";
import { ConversationFeed, type ConversationListener, type FeedLog } from "./conversation-feed.ts";
import { decodeEvents, encodeEvents } from "./event-payload.ts";
import { conversationGroup, parseGroup, userGroup } from "./groups.ts";
import { Turns } from "./turns.ts";

export interface UserListener {
  hear(event: UserEvent): void;
  /** Events may have gone unheard: the list of conversations is to be read again. */
  missedEvents(): void;
  /** In how many conversations the user is, as storage says. */
  compare(conversations: number): void;
}

export interface Subscription {
  readonly conversationId: string;
  readonly listener: ConversationListener;
}

export interface HubOptions {
  readonly layer: ChannelLayer;
  readonly store: Pick<DeliveryStore, "positions" | "changes" | "membersAmong" | "conversationCounts">;
  readonly log: FeedLog;
  /**
   * How often, in seconds, what is listened to is compared with storage, so that even a lost event that nothing follows is
   * noticed. Null where the layer loses nothing because it has no other node.
   */
  readonly sweepSeconds: number | null;
}

/** Conversations, or users, for each query of a sweep. */
const COMPARED_PER_QUERY = 2_000;
/** News of users are few, and what is asked about them is dearer: every sixth sweep asks about users too. */
const SWEEPS_PER_USER_SWEEP = 6;
/** Between two tries while storage or the layer does not answer, in ms. */
const RETRY = 1_000;

/** What the other nodes are told of a user: an event, or that some were lost on the way. */
type UserPayload = UserEvent | { readonly type: "missed_events"; readonly userId: string };

export class Hub implements EventSink {
  /** Where re-reading from storage waits for its turn, a conversation or a user at a time. */
  readonly turns = new Turns();
  readonly #options: HubOptions;
  readonly #feeds = new Map<string, { readonly feed: ConversationFeed; started: Promise<void> }>();
  readonly #users = new Map<string, { readonly listeners: Set<UserListener>; subscribed: Promise<void> }>();
  readonly #sweep: NodeJS.Timeout | null;
  #sweeps = 0;
  /** What storage gave no position of: nobody else may ever ask again. */
  readonly #uncompared = new Set<string>();
  /** Users whose other nodes missed an event. */
  readonly #untold = new Set<string>();
  #retry: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: HubOptions) {
    this.#options = options;
    const { layer, sweepSeconds } = options;
    layer.onMessage((group, payload) => this.#receive(group, payload));
    layer.onReset(() => this.#recover());
    layer.onPublishFailed((group) => this.#publishFailed(group));
    this.#sweep = sweepSeconds === null ? null : setInterval(() => this.#sweepAll(), sweepSeconds * 1000).unref();
  }

  emit(events: readonly ConversationEvent[]): void {
    const byConversation = new Map<string, ConversationEvent[]>();
    for (const event of events) {
      this.#deliver(event);
      const others = byConversation.get(event.conversationId);
      if (others === undefined) byConversation.set(event.conversationId, [event]);
      else others.push(event);
    }
    for (const [conversationId, itsEvents] of byConversation) {
      this.#options.layer.publish(conversationGroup(conversationId), () => encodeEvents(itsEvents));
    }
  }

  emitToUsers(events: readonly UserEvent[]): void {
    for (const event of events) {
      this.#deliverToUser(event);
      this.#publishToUser(event);
    }
  }

  doubt(conversationIds: readonly string[] | "any"): void {
    if (conversationIds === "any") this.#compareAll();
    else this.#compareEach(conversationIds.filter((id) => this.#feeds.has(id)));
  }

  /**
   * Resolves when every change from now on will be heard: the conversations stand at the positions that `position` gives.
   * One subscription and one query, however many conversations. Rejects with `LayerUnavailable` or
   * `StorageUnavailable`; then nothing is listened to.
   */
  async listen(subscriptions: readonly Subscription[]): Promise<void> {
    const fresh: ConversationFeed[] = [];
    for (const { conversationId, listener } of subscriptions) {
      let entry = this.#feeds.get(conversationId);
      if (entry === undefined) {
        const { store, log } = this.#options;
        const feed = new ConversationFeed({ conversationId, store, log, turns: this.turns });
        entry = { feed, started: Promise.resolve() };
        this.#feeds.set(conversationId, entry);
        fresh.push(feed);
      }
      entry.feed.add(listener);
    }
    if (fresh.length > 0) {
      const started = this.#start(fresh);
      for (const { conversationId } of fresh) {
        const entry = this.#feeds.get(conversationId);
        if (entry !== undefined) entry.started = started;
      }
    }
    try {
      await Promise.all(new Set(subscriptions.map(({ conversationId }) => this.#feeds.get(conversationId)?.started)));
    } catch (error) {
      for (const { conversationId, listener } of subscriptions) this.leave(conversationId, listener);
      throw error;
    }
  }

  /** The number delivered last; 0 where nobody listens. */
  position(conversationId: string): number {
    return this.#feeds.get(conversationId)?.feed.position ?? 0;
  }

  leave(conversationId: string, listener: ConversationListener): void {
    const entry = this.#feeds.get(conversationId);
    if (entry === undefined) return;
    entry.feed.delete(listener);
    if (!entry.feed.isEmpty) return;
    entry.feed.close();
    this.#feeds.delete(conversationId);
    this.#options.layer.unsubscribe([conversationGroup(conversationId)]);
  }

  /** Resolves when every event for this user from now on will be heard. Rejects with `LayerUnavailable`. */
  async listenToUser(userId: string, listener: UserListener): Promise<void> {
    let entry = this.#users.get(userId);
    if (entry === undefined) {
      entry = { listeners: new Set(), subscribed: this.#options.layer.subscribe([userGroup(userId)]) };
      this.#users.set(userId, entry);
    }
    entry.listeners.add(listener);
    try {
      await entry.subscribed;
    } catch (error) {
      this.leaveUser(userId, listener);
      throw error;
    }
  }

  leaveUser(userId: string, listener: UserListener): void {
    const entry = this.#users.get(userId);
    if (entry === undefined || !entry.listeners.delete(listener) || entry.listeners.size > 0) return;
    this.#users.delete(userId);
    this.#options.layer.unsubscribe([userGroup(userId)]);
  }

  /** Groups listened to. */
  get size(): number {
    return this.#feeds.size + this.#users.size;
  }

  close(): void {
    this.#isClosed = true;
    if (this.#sweep !== null) clearInterval(this.#sweep);
    if (this.#retry !== null) clearTimeout(this.#retry);
    for (const { feed } of this.#feeds.values()) feed.close();
  }

  async #start(feeds: readonly ConversationFeed[]): Promise<void> {
    const { layer, store } = this.#options;
    const ids = feeds.map((feed) => feed.conversationId);
    await layer.subscribe(ids.map(conversationGroup));
    const positions = new Map((await store.positions(ids)).map((position) => [position.conversationId, position]));
    for (const feed of feeds) {
      const position = positions.get(feed.conversationId);
      if (position === undefined) throw new Error(`conversation ${feed.conversationId} does not exist`);
      feed.start(position);
    }
  }

  #deliver(event: ConversationEvent): void {
    const feed = this.#feeds.get(event.conversationId)?.feed;
    if (feed === undefined) return;
    if (isChange(event)) feed.change(event);
    else feed.signal(event);
  }

  #deliverToUser(event: UserEvent): void {
    for (const listener of this.#users.get(event.userId)?.listeners ?? []) listener.hear(event);
  }

  #receive(group: string, payload: string): void {
    const { kind } = parseGroup(group);
    switch (kind) {
      case "conversation":
        for (const event of decodeEvents(payload)) this.#deliver(event);
        return;
      case "user":
        this.#receiveOfUser(JSON.parse(payload) as UserPayload);
        return;
    }
  }

  #receiveOfUser(payload: UserPayload): void {
    if (payload.type !== "missed_events") this.#deliverToUser(payload);
    else for (const listener of this.#users.get(payload.userId)?.listeners ?? []) listener.missedEvents();
  }

  #publishToUser(payload: UserPayload): void {
    this.#options.layer.publish(userGroup(payload.userId), () => JSON.stringify(payload));
  }

  #publishFailed(group: string): void {
    const { kind, id } = parseGroup(group);
    switch (kind) {
      case "conversation":
        // The other nodes' sweeps find what they missed.
        return;
      case "user":
        this.#untold.add(id);
        this.#retrySoon();
        return;
    }
  }

  /** The layer was away and is whole again. */
  #recover(): void {
    this.#compareAll();
    for (const { listeners } of this.#users.values()) for (const listener of listeners) listener.missedEvents();
  }

  #sweepAll(): void {
    this.#compareAll();
    this.#sweeps += 1;
    if (this.#sweeps % SWEEPS_PER_USER_SWEEP > 0) return;
    this.#compareUsers([...this.#users.keys()]).catch((err: unknown) => {
      this.#options.log.warn({ err }, "users could not be compared");
    });
  }

  async #compareUsers(userIds: readonly string[]): Promise<void> {
    for (let from = 0; from < userIds.length; from += COMPARED_PER_QUERY) {
      const some = userIds.slice(from, from + COMPARED_PER_QUERY);
      const counts = await this.#options.store.conversationCounts(some);
      const known = new Map(counts.map(({ userId, conversations }) => [userId, conversations]));
      for (const id of some) {
        for (const listener of this.#users.get(id)?.listeners ?? []) listener.compare(known.get(id) ?? 0);
      }
    }
  }

  #compareAll(): void {
    this.#compareEach([...this.#feeds.keys()]);
  }

  #compareEach(ids: readonly string[]): void {
    for (let from = 0; from < ids.length; from += COMPARED_PER_QUERY) {
      this.#compare(ids.slice(from, from + COMPARED_PER_QUERY));
    }
  }

  #compare(conversationIds: readonly string[]): void {
    this.#options.store.positions(conversationIds).then(
      (positions) => {
        for (const position of positions) this.#feeds.get(position.conversationId)?.feed.compare(position);
      },
      (error: unknown) => {
        const conversations = conversationIds.length;
        this.#options.log.warn({ conversations, err: error }, "positions could not be compared");
        for (const id of conversationIds) this.#uncompared.add(id);
        this.#retrySoon();
      },
    );
  }

  #retrySoon(): void {
    if (this.#isClosed) return;
    this.#retry ??= setTimeout(() => {
      this.#retry = null;
      const conversationIds = [...this.#uncompared];
      const userIds = [...this.#untold];
      this.#uncompared.clear();
      this.#untold.clear();
      this.doubt(conversationIds);
      for (const userId of userIds) this.#publishToUser({ type: "missed_events", userId });
    }, RETRY).unref();
  }
}
