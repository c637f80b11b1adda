/**
 * Who is in a room, as this node's sockets are told it. The layer's roster is the truth; each room with local sockets
 * keeps a copy that follows the roster's versions, so that a socket's list and the joins and leaves after it always add up.
 */
import type { ChannelLayer, RosterChange, RosterJoin, RosterList } from "../channel-layer/layer.ts";
import type { PresenceChanged } from "../core/events.ts";
import type { FeedLog } from "./conversation-feed.ts";
import { Delivery } from "./delivery.ts";
import { conversationGroup, parseGroup } from "./groups.ts";
import { RosterCopy } from "./roster-copy.ts";
import { Turns } from "./turns.ts";

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
  readonly layer: Pick<ChannelLayer, "roster" | "onReset">;
  readonly log: FeedLog;
  readonly largeRoomMembers: number;
  /**
   * How often, in seconds, the copies are compared with the roster's versions, so that even a lost join or leave that
   * nothing follows is noticed. Null where the layer loses nothing because it has no other node.
   */
  readonly sweepSeconds: number | null;
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
    if (room.occupants.size > 0) return;
    room.copy.close();
    this.#rooms.delete(conversationId);
  }

  /** Nothing is asked for any more. */
  close(): void {
    if (this.#sweep !== null) clearInterval(this.#sweep);
    for (const { copy } of this.#rooms.values()) copy.close();
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
        const event: PresenceChanged = { type: "presence_changed", conversationId, username, present };
        const delivery = new Delivery(event);
        for (const listener of listeners) listener.hear(delivery);
      },
      turns: this.#turns,
      onRead: () => {
        this.#roster = "answers";
      },
      onFailed: (error) => this.#failed({ conversation: conversationId, err: error }),
    });
    return { listeners, occupants: new Map(), copy };
  }

  async #enterLarge(occupant: Occupant, { conversationId, username }: Entrance): Promise<OnlineList> {
    const joined = this.#join(conversationId, username, false);
    occupant.joined ??= joined;
    return toOnlineList((await joined).before);
  }

  async #enterFollowed(room: Room, occupant: Occupant, entrance: Entrance): Promise<OnlineList> {
    const { conversationId, username, listener } = entrance;
    const { copy } = room;
    if (copy.isUnfollowed) {
      room.listeners.add(listener);
      const joined = this.#join(conversationId, username, true);
      occupant.joined ??= joined;
      copy.follow(joined);
      await copy.started;
      return toOnlineList((await joined).before);
    }
    await copy.started;
    // The list and the listening begin at the same moment: what is in the list already is not heard as well.
    const { members } = copy;
    room.listeners.add(listener);
    occupant.joined ??= this.#join(conversationId, username, true);
    await occupant.joined;
    return toOnlineList({ members, total: members.length });
  }

  #join(conversationId: string, username: string, announced: boolean): Promise<RosterJoin> {
    const { layer, largeRoomMembers } = this.#options;
    return layer.roster.join(conversationGroup(conversationId), username, { announced, listed: largeRoomMembers });
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

function toOnlineList(list: Pick<RosterList, "members" | "total">): OnlineList {
  return { users: [...list.members].sort(), total: list.total };
}
