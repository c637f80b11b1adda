/** A server of the channels dialect that can be made to do wrong: what is to reach a socket goes through a test's hands. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeJwt } from "jose";
import { afterEach } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";

export interface ChatMessage {
  readonly type: "chat_message";
  readonly id: string;
  readonly seq: number;
  readonly message: string;
  readonly client_id: string;
}

export interface Tampering {
  /** What reaches the `socket`th socket of a room (in the order of opening, from 0) in place of the message. */
  room?(message: ChatMessage, socket: number): readonly object[];
  /** What reaches a badge that counts `count` after one more message. */
  badge?(count: number): readonly object[];
  /** Beside `unread_count`. */
  opening?: readonly object[];
  /** Called before each message that `room` sees, with the socket that it goes to. */
  witness?(message: ChatMessage, socket: WebSocket, index: number): void;
}

interface Room {
  seq: number;
  readonly sockets: { readonly user: string; readonly socket: WebSocket }[];
}

interface Badge {
  count: number;
  readonly socket: WebSocket;
}

const started = new Set<() => Promise<void>>();

afterEach(async () => {
  await Promise.all([...started].map((stop) => stop()));
  started.clear();
});

/** Resolves with the server's URL. It is stopped after the test. */
export async function startTamperingServer({ room, badge, opening = [], witness }: Tampering = {}): Promise<string> {
  const rooms = new Map<string, Room>();
  const badges = new Map<string, Badge>();
  const say = (socket: WebSocket, ...frames: readonly object[]) => {
    for (const frame of frames) socket.send(JSON.stringify(frame));
  };

  const enter = (socket: WebSocket, user: string, name: string) => {
    const key = name.startsWith("group-") ? name : [user, name].sort().join(" ");
    const entered = rooms.get(key) ?? { seq: 0, sockets: [] };
    rooms.set(key, entered);
    entered.sockets.push({ user, socket });
    say(socket, { type: "online_user_list", users: [] });
    socket.on("message", (data) => {
      entered.seq += 1;
      const message: ChatMessage = { ...JSON.parse(data.toString()), id: randomUUID(), seq: entered.seq };
      for (const [index, receiver] of entered.sockets.entries()) {
        witness?.(message, receiver.socket, index);
        say(receiver.socket, ...(room?.(message, index) ?? [message]));
        const counted = badges.get(receiver.user);
        if (receiver.user === user || counted === undefined) continue;
        counted.count += 1;
        const { count } = counted;
        say(counted.socket, ...(badge?.(count) ?? [{ type: "new_message_notification", unread_count: count }]));
      }
    });
  };

  // It keeps no accounts.
  const http = createServer((_request, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  sockets.on("connection", (socket, request) => {
    const { sub = "" } = decodeJwt(request.headers.authorization?.replace("Bearer ", "") ?? "");
    const name = request.url?.split("/")[2] ?? "";
    if (name !== "notifications") return enter(socket, sub, name);
    badges.set(sub, { count: 0, socket });
    say(socket, { type: "unread_count", unread_count: 0 }, ...opening);
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  started.add(async () => {
    for (const socket of sockets.clients) socket.terminate();
    http.close();
    await once(http, "close");
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}
