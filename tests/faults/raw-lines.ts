/** Bare sockets, straight to their nodes. They do not come back: that they stay open is what is promised. */
import { WebSocket } from "ws";
import { tokenFor } from "../support/stack.ts";
import type { Cluster } from "./cluster.ts";
import type { Acknowledge, BadgeLine, EventLine, Opener, RoomLine } from "./lines.ts";
import { BadgeRecord, EventRecord, RoomRecord } from "./records.ts";

/** Ms until what was not answered is sent again, and what was refused for now. */
const UNANSWERED = 5_000;
const REFUSED = 250;

// biome-ignore lint/suspicious/noExplicitAny: frames are looked at as a client in plain JavaScript does
type Frame = any;

export class RawSocket {
  readonly person: string;
  interruptions = 0;
  readonly #socket: WebSocket;
  #isClosing = false;

  private constructor(person: string, socket: WebSocket, hear: (frame: Frame) => void) {
    this.person = person;
    this.#socket = socket;
    socket.on("message", (data) => hear(JSON.parse(data.toString())));
    // What becomes of it is told by its closing.
    socket.on("error", () => {});
    socket.on("close", () => {
      if (!this.#isClosing) this.interruptions += 1;
    });
  }

  /** Resolves when it is open. Rejects when it is closed before. */
  static open(person: string, url: string, hear: (frame: Frame) => void): Promise<RawSocket> {
    return new Promise((resolve, reject) => {
      tokenFor(person).then((token) => {
        const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
        const line = new RawSocket(person, socket, hear);
        socket.once("open", () => resolve(line));
        socket.once("close", (code) => reject(new Error(`${new URL(url).pathname} was closed with ${code}`)));
      }, reject);
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(frame: object): void {
    if (this.isOpen) this.#socket.send(JSON.stringify(frame));
  }

  close(): void {
    this.#isClosing = true;
    this.#socket.terminate();
  }
}

/** Resolves when it has been told what was there before. */
async function openRoom(
  node: string,
  person: string,
  { conversationId, name, acknowledge }: { conversationId: string; name: string; acknowledge: Acknowledge },
): Promise<RoomLine> {
  const record = new RoomRecord(conversationId);
  const unanswered = new Map<string, { readonly frame: object; timer: NodeJS.Timeout }>();
  let caughtUp = () => {};
  const isCaughtUp = new Promise<void>((resolve) => {
    caughtUp = resolve;
  });
  const transmit = (clientId: string, frame: object) => {
    socket.send(frame);
    unanswered.set(clientId, { frame, timer: setTimeout(() => transmit(clientId, frame), UNANSWERED) });
  };
  const settle = (clientId: string) => {
    clearTimeout(unanswered.get(clientId)?.timer);
    unanswered.delete(clientId);
  };
  const hear = (frame: Frame) => {
    record.hear(frame);
    if (frame.type === "resumed") caughtUp();
    else if (frame.type === "ack") settle(frame.client_id);
    else if (frame.type === "chat_message" && frame.from_user.username === person && unanswered.has(frame.client_id)) {
      settle(frame.client_id);
      acknowledge(frame.client_id, frame);
    } else if (frame.type === "error") {
      const entry = unanswered.get(frame.client_id);
      if (entry === undefined) return;
      clearTimeout(entry.timer);
      entry.timer = setTimeout(() => transmit(frame.client_id, entry.frame), REFUSED);
    }
  };
  const socket = await RawSocket.open(person, `${node}/ws/${encodeURIComponent(name)}/?since=0`, hear);
  await isCaughtUp;
  let requests = 0;
  const request = (frame: object) => {
    requests += 1;
    const client_id = `request ${requests}`;
    transmit(client_id, { ...frame, client_id });
  };
  return {
    person,
    record,
    get isOpen() {
      return socket.isOpen;
    },
    get interruptions() {
      return socket.interruptions;
    },
    say: (client_id, message) => transmit(client_id, { type: "chat_message", message, client_id }),
    edit: (id, message) => request({ type: "edit_message", id, message }),
    read: () => request({ type: "read_messages" }),
    close: () => {
      for (const { timer } of unanswered.values()) clearTimeout(timer);
      unanswered.clear();
      socket.close();
    },
  };
}

async function openBadge(url: string, person: string, conversationId: string | null): Promise<BadgeLine> {
  const record = new BadgeRecord();
  const socket = await RawSocket.open(person, url, (frame) => record.hear(frame));
  return Object.assign(socket, { record, conversationId });
}

async function openEvents(
  node: string,
  person: string,
  { path, seqs }: { path: "/chat" | "/rooms"; seqs: Record<string, number> },
): Promise<EventLine> {
  const record = new EventRecord();
  const query = path === "/chat" ? `?since=${encodeURIComponent(JSON.stringify(seqs))}` : "";
  let listed = () => {};
  const isListed = new Promise<void>((resolve) => {
    listed = resolve;
  });
  const socket = await RawSocket.open(person, `${node}${path}${query}`, (frame) => {
    record.hear(frame);
    if (frame.event === "ack") listed();
  });
  socket.send({
    event: path === "/chat" ? "ping" : "connectRooms",
    data: path === "/chat" ? {} : { since: seqs },
    id: 1,
  });
  await isListed;
  return Object.assign(socket, { record });
}

export function rawLines(cluster: Cluster): Opener {
  const node = (turn: number) => cluster.node(turn).sockets;
  return {
    room: (person, { conversationId, name }, turn, acknowledge) =>
      openRoom(node(turn), person, { conversationId, name, acknowledge }),
    badge: (person, place, turn) => {
      const path = place === null ? "" : `${encodeURIComponent(place.name)}/`;
      return openBadge(`${node(turn)}/ws/notifications/${path}`, person, place?.conversationId ?? null);
    },
    events: (person, path, seqs, turn) => openEvents(node(turn), person, { path, seqs }),
  };
}
