/**
 * Where events meet sockets on this node. The core's own events go to local listeners at once and then to the layer; what
 * the layer brings goes to local listeners alone. A group is subscribed with its first local listener and left with its
 * last, so a node hears only what somebody on it listens to.
 */
import type { ChannelLayer } from "../channel-layer/layer.ts";
import { type ConversationEvent, type EventSink, isChange, type UserEvent } from "../core/events.ts";
import { Outage } from "../core/outage.ts";
import type { DeliveryStore, Position } from "../core/store.ts";
import { ConversationFeed, type ConversationListener, type FeedLog } from "./conversation-feed.ts";
import { decodeEvents, decodeUserPayload, encodeEvents, encodeUserPayload, type UserPayload } from "./event-payload.ts";
import { conversationGroup, parseGroup, userGroup } from "./groups.ts";
import { ListenerFaults } from "./listener-faults.ts";
import { RoomSizes } from "./room-sizes.ts";
import { StorageComparison } from "./storage-comparison.ts";
import { Turns } from "./turns.ts";
import { UnreadablePayloads } from "./unreadable-payloads.ts";
import type { UserListener } from "./user-listener.ts";

export type { UserListener } from "./user-listener.ts";

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

/** Milliseconds without a failure of any conversation before reading what they missed counts as working again. */
const CALM = 5_000;

export class Hub implements EventSink {
  /** Where re-reading from storage waits for its turn, a conversation or a user at a time. */
  readonly turns = new Turns();
  readonly #options: HubOptions;
  readonly #feeds = new Map<string, { readonly feed: ConversationFeed; started: Promise<void> }>();
  readonly #users = new Map<string, { readonly listeners: Set<UserListener>; subscribed: Promise<void> }>();
  /** Of the conversations that somebody here listens to. */
  readonly sizes = new RoomSizes();
  readonly #comparison: StorageComparison;
  readonly #outage: Outage;
  /** Of every listener on this node. */
  readonly faults: ListenerFaults;
  readonly unreadable: UnreadablePayloads;

  constructor(options: HubOptions) {
    this.#options = options;
    const { layer, store, log, sweepSeconds } = options;
    this.faults = new ListenerFaults(log);
    this.unreadable = new UnreadablePayloads(log);
    this.#outage = new Outage({
      log,
      begins: "what a conversation missed could not be read; trying further",
      ends: "what conversations missed can be read again",
      calm: CALM,
    });
    layer.onMessage((group, payload) => this.#receive(group, payload));
    layer.onUnreadable((group) => this.#unreadable(group));
    layer.onReset(() => this.#recover());
    layer.onPublishFailed((group) => this.#publishFailed(group));
    this.#comparison = new StorageComparison({
      compared: {
        conversationIds: () => [...this.#feeds.keys()],
        userIds: () => [...this.#users.keys()],
        position: (position) => this.#compare(position),
        conversations: (userId, conversations) => {
          this.#eachOf(userId, "compare", (listener) => listener.compare(conversations));
        },
        missedEvents: (userId) => this.#missedEvents(userId),
        tellMissedEvents: (userId) => this.#publishToUser({ type: "missed_events", userId }),
      },
      store,
      log,
      sweepSeconds,
    });
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
    if (conversationIds === "any") this.#comparison.all();
    else this.#comparison.some(conversationIds.filter((id) => this.#feeds.has(id)));
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
        const { store } = this.#options;
        const { turns, faults } = this;
        const feed = new ConversationFeed({ conversationId, store, outage: this.#outage, turns, faults });
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
      this.leaveAll(subscriptions);
      throw error;
    }
  }

  /** The number delivered last; 0 where nobody listens. */
  position(conversationId: string): number {
    return this.#feeds.get(conversationId)?.feed.position ?? 0;
  }

  leave(conversationId: string, listener: ConversationListener): void {
    this.leaveAll([{ conversationId, listener }]);
  }

  /** One command for the layer, however many conversations. */
  leaveAll(subscriptions: readonly Subscription[]): void {
    const left: string[] = [];
    for (const { conversationId, listener } of subscriptions) {
      const entry = this.#feeds.get(conversationId);
      if (entry === undefined) continue;
      entry.feed.delete(listener);
      if (!entry.feed.isEmpty) continue;
      entry.feed.close();
      this.#feeds.delete(conversationId);
      this.sizes.forget(conversationId);
      left.push(conversationGroup(conversationId));
    }
    if (left.length > 0) this.#options.layer.unsubscribe(left);
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
    this.#comparison.close();
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
      if (this.#feeds.get(feed.conversationId)?.feed === feed) this.sizes.heard(position);
      feed.start(position);
    }
  }

  #compare(position: Position): void {
    const entry = this.#feeds.get(position.conversationId);
    if (entry === undefined) return;
    this.sizes.heard(position);
    entry.feed.compare(position);
  }

  #deliver(event: ConversationEvent): void {
    const feed = this.#feeds.get(event.conversationId)?.feed;
    if (feed === undefined) return;
    if (isChange(event)) {
      feed.change(event);
      return;
    }
    if (event.type === "members_added" || event.type === "member_removed") this.sizes.heard(event);
    feed.signal(event);
  }

  #deliverToUser(event: UserEvent): void {
    this.#eachOf(event.userId, "hear", (listener) => listener.hear(event));
  }

  #missedEvents(userId: string): void {
    this.#eachOf(userId, "missedEvents", (listener) => listener.missedEvents());
  }

  #eachOf(userId: string, kind: keyof UserListener, call: (listener: UserListener) => void): void {
    for (const listener of this.#users.get(userId)?.listeners ?? []) {
      this.faults.guard(kind, { user: userId }, () => call(listener));
    }
  }

  #receive(group: string, payload: string): void {
    const parsed = parseGroup(group);
    switch (parsed?.kind) {
      case "conversation": {
        const { events, isWhole } = decodeEvents(payload, parsed.id);
        for (const event of events) this.#deliver(event);
        if (!isWhole) this.#unreadable(group);
        return;
      }
      case "user": {
        const said = decodeUserPayload(payload, parsed.id);
        if (said === null) this.#unreadable(group);
        else if (said.type === "missed_events") this.#missedEvents(parsed.id);
        else this.#deliverToUser(said);
        return;
      }
      case "profiles":
        return;
      case undefined:
        this.#unreadable(group);
        return;
    }
  }

  /**
   * Another version of a node, another program, or a fault of ours. Whatever it said of a conversation or of a user is found
   * in storage.
   */
  #unreadable(group: string): void {
    this.unreadable.add(group);
    const parsed = parseGroup(group);
    if (parsed?.kind === "conversation") this.#comparison.soon(parsed.id);
    else if (parsed?.kind === "user") this.#comparison.unheard(parsed.id);
  }

  #publishToUser(payload: UserPayload): void {
    this.#options.layer.publish(userGroup(payload.userId), () => encodeUserPayload(payload));
  }

  #publishFailed(group: string): void {
    const parsed = parseGroup(group);
    // What they missed of a conversation the other nodes' sweeps find.
    if (parsed?.kind === "user") this.#comparison.untold(parsed.id);
  }

  /** The layer was away and is whole again. */
  #recover(): void {
    this.#comparison.all();
    for (const userId of this.#users.keys()) this.#missedEvents(userId);
  }
}
