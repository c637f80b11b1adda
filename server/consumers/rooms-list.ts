/** The list that `connectRooms` is answered with: one event where it fits, and more of them as the client takes them. */
import type { Core } from "../core/core.ts";
import type { Profile } from "../core/model.ts";
import type { Room, RoomsServerEvents } from "../protocol/rooms.ts";
import type { EventCarrier } from "./event-session.ts";
import { groupByRoom } from "./room-members.ts";
import { roomOf } from "./rooms-events.ts";

export interface RoomsList {
  readonly core: Pick<Core, "conversations">;
  readonly profile: Profile;
  readonly carrier: EventCarrier;
  readonly limits: { readonly largeRoomMembers: number; readonly maxPageBytes: number };
}

/** Resolves with the seq at which each room was listed. */
export async function tellRooms({ core, profile, carrier, limits }: RoomsList): Promise<Map<string, number>> {
  const { largeRoomMembers, maxPageBytes } = limits;
  const listed = new Map<string, number>();
  let event: keyof Pick<RoomsServerEvents, "connectRooms" | "more rooms"> = "connectRooms";
  let rooms: Room[] = [];
  let bytes = 0;
  const tell = async (): Promise<boolean> => {
    const isTaken = await carrier.emitInTurn({ event, data: rooms });
    [event, rooms, bytes] = ["more rooms", [], 0];
    return isTaken;
  };
  for await (const page of core.conversations.rooms(profile, largeRoomMembers, maxPageBytes)) {
    const members = groupByRoom(page.members);
    for (const view of page.views) {
      const room = roomOf(view, profile.id, members.get(view.id) ?? []);
      const size = Buffer.byteLength(JSON.stringify(room));
      if (bytes > 0 && bytes + size > maxPageBytes && !(await tell())) return listed;
      listed.set(room._id, room.seq);
      rooms.push(room);
      bytes += size;
    }
  }
  if (event === "connectRooms" || rooms.length > 0) await tell();
  return listed;
}
