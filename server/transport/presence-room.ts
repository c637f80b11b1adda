/** One room with sockets on this node: who of this node is in it, and what it knows of the others. */
import type { RosterJoin } from "../channel-layer/layer.ts";
import type { UserReference } from "../core/model.ts";
import type { Delivery } from "./delivery.ts";
import { roomMember } from "./room-member.ts";
import type { RosterCopy } from "./roster-copy.ts";

export interface PresenceListener {
  hear(delivery: Delivery): void;
}

/** A user in a room, on this node. */
export interface Occupant {
  sockets: number;
  /** The roster's answer to their first socket here; the later ones stand on it. */
  joined: Promise<RosterJoin> | null;
}

export interface Room {
  readonly listeners: Set<PresenceListener>;
  /** By the member that they are in the roster. */
  readonly occupants: Map<string, Occupant>;
  readonly copy: RosterCopy;
  /** In a large room nobody is told who comes and goes, and no copy is kept. */
  isLarge: boolean;
  /** It was large: its sockets are to be told who is here. */
  owesList: boolean;
  retry: NodeJS.Timeout | null;
}

export function occupy(room: Room, user: UserReference): Occupant {
  const member = roomMember(user);
  const occupant = room.occupants.get(member) ?? { sockets: 0, joined: null };
  room.occupants.set(member, occupant);
  occupant.sockets += 1;
  return occupant;
}

export function closeRoom(room: Room): void {
  room.copy.close();
  if (room.retry !== null) clearTimeout(room.retry);
}
