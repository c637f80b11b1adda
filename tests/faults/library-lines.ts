/** The client library, through the cluster's entrance: it comes back, to whichever node runs. */
import { WebSocket } from "ws";
import {
  type ConnectionState,
  connectConversationNotifications,
  connectEvents,
  connectNotifications,
  connectRoom,
} from "../../client/index.ts";
import { tokenFor } from "../support/stack.ts";
import type { Cluster } from "./cluster.ts";
import type { Opener } from "./lines.ts";
import { BadgeRecord, EventRecord, RoomRecord } from "./records.ts";

interface Connection {
  readonly state: ConnectionState;
  onState(listener: (state: ConnectionState) => void): unknown;
  close(): void;
}

/** What all of them have; resolves when it is open. */
async function lineOf<Rest extends object>(person: string, connection: Connection, rest: Rest) {
  let interruptions = 0;
  const opened = new Promise<void>((resolve) => {
    connection.onState((state) => {
      if (state.name === "open") resolve();
      else if (state.name === "waiting") interruptions += 1;
    });
  });
  await opened;
  return {
    person,
    get isOpen() {
      return connection.state.name === "open";
    },
    get interruptions() {
      return interruptions;
    },
    close: () => connection.close(),
    ...rest,
  };
}

/** A request that closing has left undone is of no interest: what was acknowledged is in the ledger. */
const unlessClosed = (request: Promise<unknown>) => {
  request.catch(() => {});
};

export function libraryLines(cluster: Cluster): Opener {
  const as = (person: string) => ({
    url: cluster.entrance,
    getToken: () => tokenFor(person),
    WebSocket,
    backoff: { base: 50, max: 1_000 },
    // A node that has stopped answering is noticed within a row's patience.
    heartbeat: { quiet: 2_000, patience: 3_000 },
  });
  return {
    room: (person, { conversationId, name }, _turn, acknowledge) => {
      const record = new RoomRecord(conversationId);
      const room = connectRoom(name, { ...as(person), since: 0, queueLimit: 100_000 });
      room.onFrame((frame) => record.hear(frame));
      return lineOf(person, room, {
        record,
        say: (client_id: string, message: string) =>
          unlessClosed(room.send({ message, client_id }).then((stored) => acknowledge(client_id, stored))),
        edit: (id: string, message: string) => unlessClosed(room.edit(id, message)),
        read: () => unlessClosed(room.read()),
      });
    },
    badge: (person, place) => {
      const record = new BadgeRecord();
      if (place === null) {
        const badge = connectNotifications(as(person));
        badge.onFrame((frame) => record.hear(frame));
        return lineOf(person, badge, { record, conversationId: null });
      }
      const badge = connectConversationNotifications(place.name, as(person));
      badge.onFrame((frame) => record.hear(frame));
      return lineOf(person, badge, { record, conversationId: place.conversationId });
    },
    events: async (person, path, since) => {
      const record = new EventRecord();
      const options = { ...as(person), since };
      const hear = (frame: object) => record.hear(frame);
      if (path === "/chat") {
        const chat = connectEvents("/chat", options);
        chat.onFrame(hear);
        return lineOf(person, chat, { record });
      }
      const rooms = connectEvents("/rooms", options);
      rooms.onFrame(hear);
      const line = await lineOf(person, rooms, { record });
      await rooms.send("connectRooms", {});
      return line;
    },
  };
}
