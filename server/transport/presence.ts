/**
 * Who is in a room, as this node's sockets are told it. The layer's roster is the truth; each room with local sockets
 * keeps a copy that follows the roster's versions, so that a socket's list and the joins and leaves after it always add up.
 */
import type { ChannelLayer, RosterChange, RosterJoin } from "../channel-layer/layer.ts";
import type { PresenceChanged, PresenceListed } from "../core/events.ts";
import type { UserReference } from "../core/model.ts";
import type { FeedLog } from "./conversation-feed.ts";
import { Delivery } from "./delivery.ts";
import { conversationGroup, parseGroup } from "./groups.ts";
import type { ListenerFaults } from "./listener-faults.ts";
import { closeRoom, type Occupant, occupy, type PresenceListener, type Room } from "./presence-room.ts";
import { roomMember, usernameOf } from "./room-member.ts";
import type { RoomSizes } from "./room-sizes.ts";
import { RosterCopy } from "./roster-copy.ts";
import { Turns } from "./turns.ts";

export type { PresenceListener } from "./presence-room.ts";

export interface OnlineList {
  /** Usernames, sorted; at most the limit of a large room. */
  readonly users: readonly string[];
  readonly total: number;
  /** Joins and leaves are told to nobody, and the list is cut. */
  readonly isLarge: boolean;
}

/** A socket that enters a room. */
export interface Entrance {
  readonly conversationId: string;
  readonly user: UserReference;
  readonly listener: PresenceListener;
}

export interface RoomPresencesOptions {
  readonly layer: Pick<ChannelLayer, "roster" | "onReset">;
  readonly log: FeedLog;
  readonly largeRoomMembers: number;
  /** How many members rooms have now. */
  readonly sizes: Pick<RoomSizes, "of" | "onChange">;
  readonly faults: ListenerFaults;
  /**
   * How often, in seconds, the copies are compared with the roster's versions, so that even a lost join or leave that
   * nothing follows is noticed. Null where the layer loses nothing because it has no other node.
   */
  readonly sweepSeconds: number | null;
}

/** Between two tries while the layer does not answer, in ms. */
const RETRY = 1_000;

export class RoomPresences {
  readonly #options: RoomPresencesOptions;
  readonly #rooms = new Map<string, Room>();
  readonly #turns = new Turns();
  readonly #sweep: NodeJS.Timeout | null;
  #isComparing = false;
  /** The first failure is logged, and the next one after an answer. */
  #roster: "answers" | "fails" = "answers";

  constructor(options: RoomPresencesOptions) {
    this.#options = options;
    const { layer, sweepSeconds } = options;
    layer.roster.onChange((change) => this.#changed(change));
    options.sizes.onChange((conversationId) => this.#resized(conversationId));
    layer.onReset(() => {
      for (const { copy } of this.#rooms.values()) copy.reread();
    });
    this.#sweep = sweepSeconds === null ? null : setInterval(() => this.#compare(), sweepSeconds * 1000).unref();
  }

  get size(): number {
    return this.#rooms.size;
  }

  /**
   * Resolves with who was here before; the listener hears of every change after that, its own arrival included, perhaps
   * before the list is there. The caller listens to the conversation already. Rejects with `LayerUnavailable`; then
   * nothing was entered.
   */
  async enter(entrance: Entrance): Promise<OnlineList> {
    const room = this.#room(entrance);
    const occupant = occupy(room, entrance.user);
    try {
      return room.isLarge
        ? await this.#enterLarge(room, occupant, entrance)
        : await this.#enterFollowed(room, occupant, entrance);
    } catch (error) {
      this.leave(entrance);
      throw error;
    }
  }

  leave({ conversationId, user, listener }: Entrance): void {
    const room = this.#rooms.get(conversationId);
    if (room === undefined || !room.occupants.has(roomMember(user))) return;
    room.listeners.delete(listener);
    this.#vacate(room, conversationId, user);
    if (room.occupants.size > 0) return;
    closeRoom(room);
    this.#rooms.delete(conversationId);
  }

  /** The socket goes on under another name: who had the old one leaves, who has the new one joins. */
  rename(entrance: Entrance, user: UserReference): Entrance {
    const { conversationId } = entrance;
    const renamed = { ...entrance, user };
    const room = this.#rooms.get(conversationId);
    if (room === undefined || !room.occupants.has(roomMember(entrance.user))) return renamed;
    const occupant = occupy(room, user);
    this.#vacate(room, conversationId, entrance.user);
    if (occupant.joined === null) this.#joinUnasked(conversationId, occupant, user);
    return renamed;
  }

  #vacate(room: Room, conversationId: string, user: UserReference): void {
    const member = roomMember(user);
    const occupant = room.occupants.get(member);
    if (occupant === undefined) return;
    occupant.sockets -= 1;
    if (occupant.sockets > 0) return;
    room.occupants.delete(member);
    this.#options.layer.roster.leave(conversationGroup(conversationId), member, { announced: true });
  }

  /** Nobody waits for it: tried until it succeeds, or they are gone. */
  #joinUnasked(conversationId: string, occupant: Occupant, user: UserReference): void {
    const joined = this.#join(conversationId, user);
    occupant.joined = joined;
    joined.catch((err: unknown) => {
      this.#failed({ conversation: conversationId, err });
      setTimeout(() => {
        const isHere = this.#rooms.get(conversationId)?.occupants.get(roomMember(user)) === occupant;
        if (isHere) this.#joinUnasked(conversationId, occupant, user);
      }, RETRY).unref();
    });
  }

  #resized(conversationId: string): void {
    const room = this.#rooms.get(conversationId);
    const isLarge = this.#isLarge(conversationId);
    if (room === undefined || room.isLarge === isLarge) return;
    room.isLarge = isLarge;
    room.owesList = !isLarge;
    if (isLarge) room.copy.unfollow();
    else this.#list(conversationId, room);
  }

  /** Who is here is told to those who are, since they were not told while the room was large. */
  #list(conversationId: string, room: Room): void {
    if (room.isLarge || !room.copy.isUnfollowed || this.#rooms.get(conversationId) !== room) return;
    const { layer, largeRoomMembers } = this.#options;
    const list = layer.roster.list(conversationGroup(conversationId), largeRoomMembers);
    room.copy.follow(list, () => this.#tellList(conversationId, room));
    room.copy.started.catch((err: unknown) => {
      this.#failed({ conversation: conversationId, err });
      room.retry = setTimeout(() => this.#list(conversationId, room), RETRY).unref();
    });
  }

  #tellList(conversationId: string, room: Room): void {
    if (!room.owesList) return;
    room.owesList = false;
    const usernames = [...room.copy.usernames].sort();
    this.#tell(room.listeners, { type: "presence_listed", conversationId, usernames });
  }

  #tell(listeners: ReadonlySet<PresenceListener>, event: PresenceChanged | PresenceListed): void {
    const delivery = new Delivery(event);
    const { conversationId: conversation, type } = event;
    for (const listener of listeners) {
      this.#options.faults.guard("presence", { conversation, event: type }, () => listener.hear(delivery));
    }
  }

  #isLarge(conversationId: string): boolean {
    return this.#options.sizes.of(conversationId) > this.#options.largeRoomMembers;
  }

  /** Nothing is asked for any more. */
  close(): void {
    if (this.#sweep !== null) clearInterval(this.#sweep);
    for (const room of this.#rooms.values()) closeRoom(room);
  }

  #room({ conversationId }: Entrance): Room {
    let room = this.#rooms.get(conversationId);
    if (room === undefined) {
      room = this.#newRoom(conversationId);
      this.#rooms.set(conversationId, room);
    }
    return room;
  }

  #newRoom(conversationId: string): Room {
    const { layer, largeRoomMembers } = this.#options;
    const listeners = new Set<PresenceListener>();
    const copy = new RosterCopy({
      read: () => layer.roster.list(conversationGroup(conversationId), largeRoomMembers),
      tell: (username, present) => {
        this.#tell(listeners, { type: "presence_changed", conversationId, username, present });
      },
      turns: this.#turns,
      onRead: () => {
        this.#roster = "answers";
      },
      onFailed: (error) => this.#failed({ conversation: conversationId, err: error }),
    });
    const isLarge = this.#isLarge(conversationId);
    return { listeners, occupants: new Map(), copy, isLarge, owesList: false, retry: null };
  }

  async #enterLarge(room: Room, occupant: Occupant, entrance: Entrance): Promise<OnlineList> {
    const { conversationId, user, listener } = entrance;
    room.listeners.add(listener);
    const joined = this.#join(conversationId, user);
    occupant.joined ??= joined;
    const { before } = await joined;
    return toOnlineList(before.members.map(usernameOf), before.total, true);
  }

  async #enterFollowed(room: Room, occupant: Occupant, entrance: Entrance): Promise<OnlineList> {
    const { conversationId, user, listener } = entrance;
    const { copy } = room;
    if (copy.isUnfollowed) {
      room.listeners.add(listener);
      const joined = this.#join(conversationId, user);
      occupant.joined ??= joined;
      copy.follow(
        joined.then(({ before }) => before),
        () => this.#tellList(conversationId, room),
      );
      await copy.started;
      const { members, total } = (await joined).before;
      return toOnlineList(members.map(usernameOf), total, false);
    }
    await copy.started;
    // It grew meanwhile: nothing is followed any more.
    if (room.isLarge) return this.#enterLarge(room, occupant, entrance);
    // The list and the listening begin at the same moment: what is in the list already is not heard as well.
    const { usernames } = copy;
    room.listeners.add(listener);
    occupant.joined ??= this.#join(conversationId, user);
    await occupant.joined;
    return toOnlineList(usernames, usernames.length, false);
  }

  #join(conversationId: string, user: UserReference): Promise<RosterJoin> {
    const { layer, largeRoomMembers } = this.#options;
    const options = { announced: true, listed: largeRoomMembers };
    return layer.roster.join(conversationGroup(conversationId), roomMember(user), options);
  }

  #changed(change: RosterChange): void {
    const group = parseGroup(change.group);
    if (group?.kind === "conversation") this.#rooms.get(group.id)?.copy.hear(change);
  }

  async #compare(): Promise<void> {
    const followed = [...this.#rooms].filter(([, { copy }]) => copy.isFollowing);
    if (followed.length === 0 || this.#isComparing) return;
    this.#isComparing = true;
    try {
      const groups = followed.map(([conversationId]) => conversationGroup(conversationId));
      const versions = await this.#options.layer.roster.versions(groups);
      this.#roster = "answers";
      for (const [index, [, { copy }]] of followed.entries()) copy.compare(versions[index] ?? 0);
    } catch (error) {
      this.#failed({ conversations: followed.length, err: error });
    } finally {
      this.#isComparing = false;
    }
  }

  #failed(details: object): void {
    if (this.#roster === "fails") return;
    this.#roster = "fails";
    this.#options.log.warn(details, "who is in a room could not be read; trying further");
  }
}

function toOnlineList(usernames: readonly string[], total: number, isLarge: boolean): OnlineList {
  return { users: [...new Set(usernames)].sort(), total, isLarge };
}
