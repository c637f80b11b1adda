/**
 * Who is in a room, as this node's sockets are told it. The layer's roster is the truth; each room with local sockets
 * keeps a copy that follows the roster's versions, so that a socket's list and the joins and leaves after it always add up.
 */
import {
  type ChannelLayer,
  LEASE_SECONDS,
  type RosterChange,
  type RosterJoin,
  type RosterList,
} from "../channel-layer/layer.ts";
import type { PresenceChanged } from "../core/events.ts";
import type { FeedLog } from "./conversation-feed.ts";
import { Delivery } from "./delivery.ts";
import { conversationGroup, parseGroup } from "./groups.ts";

export interface PresenceListener {
  hear(delivery: Delivery): void;
}

export interface OnlineList {
  /** Usernames, sorted; at most the limit of a large room. */
  readonly users: readonly string[];
  readonly total: number;
}

/** A socket that enters a room. */
export interface Entrance {
  readonly conversationId: string;
  readonly username: string;
  /** In a large room nobody is told of joins and leaves, and the list is cut. */
  readonly isLarge: boolean;
  readonly listener: PresenceListener;
}

export interface RoomPresencesOptions {
  readonly layer: ChannelLayer;
  readonly log: FeedLog;
  readonly largeRoomMembers: number;
}

/** A user in a room, on this node. */
interface Occupant {
  sockets: number;
  /** The roster's answer to their first socket here; the later ones stand on it. */
  joined: Promise<RosterJoin> | null;
}

interface Room {
  readonly listeners: Set<PresenceListener>;
  /** By username. */
  readonly occupants: Map<string, Occupant>;
  readonly copy: RosterCopy;
}

/** "starting": the roster's answer is awaited; what is heard meanwhile is kept. */
type RosterCopy = {
  state: "starting" | "following" | "unfollowed";
  version: number;
  members: Set<string>;
  kept: RosterChange[];
  started: Promise<void>;
};

/** After the layer was emptied, other nodes need as long as a lease to say again who is with them. */
const GRACE = (LEASE_SECONDS + 1) * 1000;
const RETRY = 1_000;

export class RoomPresences {
  readonly #options: RoomPresencesOptions;
  readonly #rooms = new Map<string, Room>();

  constructor(options: RoomPresencesOptions) {
    this.#options = options;
    options.layer.roster.onChange((change) => this.#changed(change));
    options.layer.onReset(() => this.#recover());
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
    const occupant = room.occupants.get(entrance.username) ?? { sockets: 0, joined: null };
    room.occupants.set(entrance.username, occupant);
    occupant.sockets += 1;
    try {
      return entrance.isLarge
        ? await this.#enterLarge(occupant, entrance)
        : await this.#enterFollowed(room, occupant, entrance);
    } catch (error) {
      this.leave(entrance);
      throw error;
    }
  }

  leave({ conversationId, username, isLarge, listener }: Entrance): void {
    const room = this.#rooms.get(conversationId);
    const occupant = room?.occupants.get(username);
    if (room === undefined || occupant === undefined) return;
    room.listeners.delete(listener);
    occupant.sockets -= 1;
    if (occupant.sockets > 0) return;
    room.occupants.delete(username);
    this.#options.layer.roster.leave(conversationGroup(conversationId), username, { announced: !isLarge });
    if (room.occupants.size === 0) this.#rooms.delete(conversationId);
  }

  #room({ conversationId }: Entrance): Room {
    let room = this.#rooms.get(conversationId);
    if (room === undefined) {
      const copy: RosterCopy = {
        state: "unfollowed",
        version: 0,
        members: new Set(),
        kept: [],
        started: Promise.resolve(),
      };
      room = { listeners: new Set(), occupants: new Map(), copy };
      this.#rooms.set(conversationId, room);
    }
    return room;
  }

  async #enterLarge(occupant: Occupant, { conversationId, username }: Entrance): Promise<OnlineList> {
    const joined = this.#join(conversationId, username, false);
    occupant.joined ??= joined;
    return toOnlineList((await joined).before);
  }

  async #enterFollowed(room: Room, occupant: Occupant, entrance: Entrance): Promise<OnlineList> {
    const { conversationId, username, listener } = entrance;
    const { copy } = room;
    if (copy.state === "unfollowed") {
      copy.state = "starting";
      room.listeners.add(listener);
      const joined = this.#join(conversationId, username, true);
      occupant.joined ??= joined;
      copy.started = joined.then(
        ({ before }) => this.#start(room, before),
        (error: unknown) => {
          copy.state = "unfollowed";
          copy.kept = [];
          throw error;
        },
      );
      await copy.started;
      return toOnlineList((await joined).before);
    }
    await copy.started;
    // The list and the listening begin at the same moment: what is in the list already is not heard as well.
    const list = { members: [...copy.members], total: copy.members.size, version: copy.version };
    room.listeners.add(listener);
    occupant.joined ??= this.#join(conversationId, username, true);
    await occupant.joined;
    return toOnlineList(list);
  }

  #join(conversationId: string, username: string, announced: boolean): Promise<RosterJoin> {
    const { layer, largeRoomMembers } = this.#options;
    return layer.roster.join(conversationGroup(conversationId), username, { announced, listed: largeRoomMembers });
  }

  #start(room: Room, list: RosterList): void {
    const { copy } = room;
    copy.state = "following";
    copy.version = list.version;
    copy.members = new Set(list.members);
    for (const change of copy.kept.splice(0)) this.#apply(room, change);
  }

  #changed(change: RosterChange): void {
    const { kind, id } = parseGroup(change.group);
    if (kind !== "conversation") return;
    const room = this.#rooms.get(id);
    if (room === undefined) return;
    switch (room.copy.state) {
      case "starting":
        room.copy.kept.push(change);
        return;
      case "following":
        this.#apply(room, change);
        return;
      case "unfollowed":
        return;
    }
  }

  #apply(room: Room, change: RosterChange): void {
    const { copy } = room;
    const { id: conversationId } = parseGroup(change.group);
    if (change.version <= copy.version) return;
    if (change.version > copy.version + 1) {
      this.#refresh(conversationId, "joins and leaves");
      return;
    }
    copy.version = change.version;
    this.#set(conversationId, room, change.member, change.present);
  }

  #set(conversationId: string, room: Room, username: string, present: boolean): void {
    const { members } = room.copy;
    if (members.has(username) === present) return;
    if (present) members.add(username);
    else members.delete(username);
    const event: PresenceChanged = { type: "presence_changed", conversationId, username, present };
    const delivery = new Delivery(event);
    for (const listener of room.listeners) listener.hear(delivery);
  }

  /** The layer was away: who came is told at once, who seems to have gone only when everybody had time to say so. */
  #recover(): void {
    for (const conversationId of this.#rooms.keys()) this.#refresh(conversationId, "joins");
    setTimeout(() => {
      for (const conversationId of this.#rooms.keys()) this.#refresh(conversationId, "joins and leaves");
    }, GRACE).unref();
  }

  #refresh(conversationId: string, told: "joins" | "joins and leaves"): void {
    this.#reread(conversationId, told).catch((error: unknown) => {
      this.#options.log.warn({ conversation: conversationId, err: error }, "who is in a room could not be read");
      setTimeout(() => this.#refresh(conversationId, told), RETRY).unref();
    });
  }

  async #reread(conversationId: string, told: "joins" | "joins and leaves"): Promise<void> {
    const room = this.#rooms.get(conversationId);
    if (room === undefined || room.copy.state !== "following") return;
    const { layer, largeRoomMembers } = this.#options;
    const list = await layer.roster.list(conversationGroup(conversationId), largeRoomMembers);
    if (this.#rooms.get(conversationId) !== room || room.copy.state !== "following") return;
    // What was heard while the list was on its way is newer than it.
    if (list.version < room.copy.version) return;
    room.copy.version = list.version;
    const present = new Set(list.members);
    for (const username of present) this.#set(conversationId, room, username, true);
    // A list that was cut says nothing of who is not on it.
    if (told === "joins" || list.total > present.size) return;
    for (const username of room.copy.members) {
      if (!present.has(username)) this.#set(conversationId, room, username, false);
    }
  }
}

function toOnlineList(list: RosterList): OnlineList {
  return { users: [...list.members].sort(), total: list.total };
}
