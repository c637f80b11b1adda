/** `/rooms`: a list of rooms, and what happens in all of them. What a client asks for is in `rooms-commands.ts`. */
import type { Profile } from "../core/model.ts";
import type { ConversationMember, Membership } from "../core/store.ts";
import { type RoomsClientEvents, roomsClientEvents } from "../protocol/rooms.ts";
import type { Delivery } from "../transport/delivery.ts";
import { DeliveryGate } from "../transport/delivery-gate.ts";
import type { UserFeed, UserFeedListener } from "../transport/user-feed.ts";
import type { ConsumerServices, Handshake } from "./consumer.ts";
import { checkClaim, replay } from "./event-replay.ts";
import { done, type EventCarrier, type EventSession, type Outcome } from "./event-session.ts";
import { dispatch, type EventHandlers } from "./event-table.ts";
import { memoized } from "./memoized.ts";
import { RoomsCommands } from "./rooms-commands.ts";
import { addressedTo, cursorsOf, groupFor, roomOf, roomsEvent, roomsReplay } from "./rooms-events.ts";
import { tellRooms } from "./rooms-list.ts";

type ConnectData = Parameters<EventHandlers<RoomsClientEvents>["connectRooms"]>[0];

const schemasFor = memoized(({ maxMessageChars, maxSinceConversations }: ConsumerServices["limits"]) =>
  roomsClientEvents(maxMessageChars, maxSinceConversations),
);

type RoomsState =
  /** Only what is addressed to this user by name gets through. */
  | "not_connected"
  /** The list is on its way: what happens meanwhile waits at the gate. */
  | "connecting"
  | "connected"
  | "closed";

export class RoomsSession implements EventSession, UserFeedListener {
  readonly #services: ConsumerServices;
  readonly #carrier: EventCarrier;
  readonly #profile: Profile;
  readonly #schemas: RoomsClientEvents;
  readonly #handlers: EventHandlers<RoomsClientEvents>;
  readonly #gate: DeliveryGate;
  /** Rooms that were not in the list of `connectRooms` and in which nothing has been said since. */
  readonly #fresh = new Set<string>();
  /** New groups that the client has not been told of yet, with what happened in them meanwhile. */
  readonly #untold = new Map<string, DeliveryGate>();
  readonly #held = new Set<string>();
  #state: RoomsState = "not_connected";
  #feed: UserFeed | null = null;

  constructor(services: ConsumerServices, { profile }: Handshake, carrier: EventCarrier) {
    this.#services = services;
    this.#carrier = carrier;
    this.#profile = profile;
    this.#schemas = schemasFor(services.limits);
    const commands = new RoomsCommands(services, profile, carrier);
    this.#handlers = { ...commands.handlers, connectRooms: (data) => this.#connect(data) };
    this.#gate = this.#gateTo((delivery) => this.#deliver(delivery));
  }

  async open(): Promise<void> {
    this.#feed = await this.#services.userFeeds.listen(this.#profile.id, this);
    await this.#hold([...this.#feed.conversationIds]);
    this.#gate.open(new Map());
  }

  closed(): void {
    this.#state = "closed";
    const { userFeeds, roomMembers } = this.#services;
    userFeeds.leave(this.#profile.id, this);
    for (const conversationId of this.#held) roomMembers.release(conversationId);
    this.#held.clear();
  }

  receive(event: string, data: unknown): Outcome | Promise<Outcome> {
    return dispatch(this.#schemas, this.#handlers, event, data);
  }

  hear(delivery: Delivery): void {
    const { event } = delivery;
    if (event.type === "members_added" || event.type === "member_removed") this.#services.roomMembers.hear(event);
    const untold = this.#untold.get(event.conversationId);
    if (untold === undefined) this.#gate.hear(delivery);
    else untold.hear(delivery);
  }

  joined({ conversationId, otherId }: Membership): void {
    this.#fresh.add(conversationId);
    this.#untold.set(
      conversationId,
      this.#gateTo((delivery) => this.#gate.hear(delivery)),
    );
    this.#introduce(conversationId, otherId === null).catch((error: unknown) => {
      this.#services.log.error(
        { user: this.#profile.id, conversation: conversationId, err: error },
        "a new room was lost",
      );
      // The client reads its list of rooms again when it is back.
      this.#carrier.close("unavailable");
    });
  }

  left(conversationId: string): void {
    this.#fresh.delete(conversationId);
    this.#untold.delete(conversationId);
    this.#gate.forget(conversationId);
    if (this.#held.delete(conversationId)) this.#services.roomMembers.release(conversationId);
  }

  /** The group itself comes before anything that happens in it. */
  async #introduce(conversationId: string, isGroup: boolean): Promise<void> {
    const members = await this.#hold([conversationId]);
    const untold = this.#untold.get(conversationId);
    // Gone again already.
    if (untold === undefined) return;
    if (isGroup) {
      const view = await this.#services.core.conversations.view(this.#profile, conversationId);
      this.#carrier.emit(groupFor(this.#profile.id, roomOf(view, this.#profile.id, members)));
    }
    this.#untold.delete(conversationId);
    untold.open(new Map());
  }

  #gateTo(deliver: (delivery: Delivery) => void): DeliveryGate {
    return new DeliveryGate({
      deliver,
      overflow: () => this.#carrier.close("tooSlow"),
      maxBytes: this.#services.limits.maxBufferedBytes,
    });
  }

  async #connect({ user_id, since = {} }: ConnectData): Promise<Outcome> {
    checkClaim("data.user_id", user_id, this.#profile.id);
    const before = this.#state;
    this.#state = "connecting";
    this.#gate.shut();
    try {
      const toldUpTo = await this.#tell(since);
      this.#become("connected");
      this.#gate.open(toldUpTo);
      return done({});
    } catch (error) {
      this.#become(before);
      this.#gate.open(new Map());
      throw error;
    }
  }

  /** Closed is for ever. */
  #become(state: RoomsState): void {
    if (this.#state !== "closed") this.#state = state;
  }

  /** The list of rooms, then what was missed in them; resolves with the seq up to which each room was told. */
  async #tell(since: Readonly<Record<string, number>>): Promise<ReadonlyMap<string, number>> {
    const { core, hub, limits } = this.#services;
    const turn = await this.#carrier.takeLargeRead();
    try {
      const listed = await tellRooms({ core, limits, profile: this.#profile, carrier: this.#carrier });
      this.#fresh.clear();
      for (const id of this.#feed?.conversationIds ?? []) if (!listed.has(id)) this.#fresh.add(id);
      const toldUpTo = await replay({
        core,
        hub,
        profile: this.#profile,
        carrier: this.#carrier,
        pageBytes: limits.maxPageBytes,
        turn,
        since,
        isFollowed: (conversationId) => this.#feed?.ledger.has(conversationId) ?? false,
        encoderFor: async (conversationId) => {
          const cursors = cursorsOf(await core.conversations.members([conversationId], limits.largeRoomMembers));
          return (changed) => roomsReplay(changed, cursors);
        },
        resumed: (room_id, seq) => ({ event: "resumed", data: { room_id, seq } }),
        resumeFailed: (room_id, seq) => ({ event: "resume_failed", data: { room_id, seq } }),
      });
      for (const [id, seq] of listed) if (!toldUpTo.has(id)) toldUpTo.set(id, seq);
      return toldUpTo;
    } finally {
      turn.release();
    }
  }

  #deliver(delivery: Delivery): void {
    const { event } = delivery;
    const { conversationId } = event;
    const memberIds = this.#services.roomMembers.userIds(conversationId);
    if (event.type === "message_created") {
      const isNews = this.#state !== "connected" || this.#fresh.delete(conversationId);
      const isAddressed = event.message.opensConversation && event.message.sender.id !== this.#profile.id;
      if (isNews && isAddressed) {
        const { id } = this.#profile;
        this.#carrier.deliver(delivery, `rooms:${id}`, () => addressedTo(id, event.message, memberIds));
        return;
      }
    }
    if (this.#state === "not_connected") return;
    this.#carrier.deliver(delivery, "rooms", () => roomsEvent(event, memberIds));
  }

  async #hold(conversationIds: readonly string[]): Promise<ConversationMember[]> {
    // What is held from now on would never be released.
    if (this.#state === "closed") return [];
    const fresh = conversationIds.filter((id) => !this.#held.has(id));
    for (const id of fresh) this.#held.add(id);
    return this.#services.roomMembers.hold(fresh);
  }
}
