/** Groups of any size and their sockets, each ready for what comes live. */
import { v7 as newId } from "uuid";
import type { Profile } from "../../server/core/model.ts";
import type { Store } from "../../server/core/store.ts";
import type { Communicator } from "../support/communicator.ts";
import { introduce, openGroup } from "../support/storage.ts";
import type { CountedNode } from "./counted-node.ts";

export interface Group {
  readonly id: string;
  readonly members: readonly Profile[];
}

/** Everybody in it is new, and in no other conversation. */
export async function groupOf(store: Store, size: number): Promise<Group> {
  const members = await introduce(store, ...Array.from({ length: size }, (_, index) => `member-${index}`));
  return { id: await openGroup(store, ...members), members };
}

/** `/ws/<room>/`, for each of these; all of them have heard the last one join. */
export async function enterRoom(node: CountedNode, room: string, users: readonly Profile[]): Promise<Communicator[]> {
  const sockets: Communicator[] = [];
  for (const user of users) {
    sockets.push(await node.connect(user, `/ws/${room}/`));
    for (const socket of sockets) await hearJoin(socket, user);
  }
  return sockets;
}

/** Passes over what else comes before it. */
export async function hearJoin(socket: Communicator, user: Profile): Promise<void> {
  for (;;) {
    const frame = await socket.receive();
    if (frame.type === "user_join" && frame.user === user.username) return;
  }
}

/** `/ws/notifications/`, for each of these, after its first count. */
export function openBadges(node: CountedNode, users: readonly Profile[]): Promise<Communicator[]> {
  return Promise.all(
    users.map(async (user) => {
      const socket = await node.connect(user, "/ws/notifications/");
      await socket.receiveType("unread_count");
      return socket;
    }),
  );
}

/** `/chat`, for each of these. */
export function openChats(node: CountedNode, users: readonly Profile[]): Promise<Communicator[]> {
  return Promise.all(
    users.map(async (user) => {
      const socket = await node.connect(user, "/chat");
      await settle(socket, "user:get_status", { userId: user.id });
      return socket;
    }),
  );
}

/** `/rooms`, for each of these, with its list of rooms. */
export function openRoomLists(node: CountedNode, users: readonly Profile[]): Promise<Communicator[]> {
  return Promise.all(
    users.map(async (user) => {
      const socket = await node.connect(user, "/rooms");
      await settle(socket, "connectRooms", {});
      return socket;
    }),
  );
}

/** An event of the client's, and all that comes until its acknowledgement. */
async function settle(socket: Communicator, event: string, data: object): Promise<void> {
  const id = newId();
  socket.send({ event, data, id });
  for (;;) if ((await socket.receive()).id === id) return;
}
