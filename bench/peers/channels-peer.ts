/**
 * The channels dialect on plain `ws`: what an application that needs rooms and badges writes for itself. A message is
 * encoded once, and `send` is called in a loop over the room's sockets.
 */
import { createServer, type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { readToken } from "../../server/auth/handshake.ts";
import {
  chatMessage,
  INVALID_FRAME,
  newMessageNotification,
  parseChatMessage,
  resumed,
  unreadCount,
} from "./channels-frames.ts";
import { Directory, type Room, type User } from "./directory.ts";
import { httpRoutes } from "./http-routes.ts";
import { createPost, type Storage } from "./messages.ts";
import { listen, stopOnSignal } from "./peer-process.ts";
import { setting } from "./settings.ts";
import { SocketGroups } from "./socket-groups.ts";
import { createVerifier } from "./tokens.ts";

/** Of a client's frame: the default of Parley's MAX_FRAME_BYTES. */
const MAX_FRAME_BYTES = 65_536;

/** Resolves when the peer listens. `storage` null: nothing is stored. */
export async function runChannelsPeer(storage: Storage | null): Promise<void> {
  const directory = new Directory();
  const verify = createVerifier(setting("JWT_SECRET"));
  const rooms = new SocketGroups<Room>();
  const badges = new SocketGroups<User>();
  const post = createPost(storage, {
    deliver: (message) => rooms.send(message.room, chatMessage(message)),
    notify: (user) => {
      if (badges.has(user)) badges.send(user, newMessageNotification(user));
    },
  });

  function openBadge(socket: WebSocket, user: User): void {
    badges.join(user, socket);
    socket.send(unreadCount(user));
  }

  function openRoom(socket: WebSocket, sender: User, room: Room, roomName: string): void {
    rooms.join(room, socket);
    socket.on("message", (data) => {
      const frame = parseChatMessage(data);
      if (frame === null) socket.send(INVALID_FRAME);
      else post({ room, roomName, sender, text: frame.message, clientId: frame.client_id });
    });
    socket.send(resumed(room));
  }

  /** What to do with the socket once it is open; the status of the answer when it is not to be opened. */
  async function admit(request: IncomingMessage): Promise<((socket: WebSocket) => void) | 401 | 404> {
    const name = await verify(readToken(request)?.token ?? "").catch(() => null);
    if (name === null) return 401;
    const user = directory.user(name);
    const roomName = roomNameOf(request.url ?? "");
    if (roomName === "notifications") return (socket) => openBadge(socket, user);
    const room = roomName === null ? null : directory.room(user, roomName);
    if (roomName === null || room === null) return 404;
    return (socket) => openRoom(socket, user, room, roomName);
  }

  const http = createServer(httpRoutes(directory, verify));
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_FRAME_BYTES });
  http.on("upgrade", async (request, stream, head) => {
    const destroy = () => stream.destroy();
    stream.on("error", destroy);
    const open = await admit(request);
    if (typeof open === "number") return refuse(stream, open);
    stream.off("error", destroy);
    webSockets.handleUpgrade(request, stream, head, (socket) => open(socket.on("error", logError)));
  });

  stopOnSignal(async () => {
    http.close();
    for (const socket of webSockets.clients) socket.terminate();
    await directory.settled();
    await storage?.close();
  });
  await listen(http);
}

/** `/ws/<room>/`, where the last slash is optional; null for another path. */
function roomNameOf(url: string): string | null {
  const name = /^\/ws\/([^/?]+)\/?(?:\?|$)/.exec(url)?.[1];
  if (name === undefined) return null;
  try {
    return decodeURIComponent(name);
  } catch {
    // A percent sign that encodes nothing.
    return null;
  }
}

function refuse(stream: Duplex, status: 401 | 404): void {
  const body = JSON.stringify({
    error: { code: status === 401 ? "unauthorized" : "not_found", message: "no socket here" },
  });
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

/** Of one socket, which ws closes then. */
function logError(error: Error): void {
  console.error(error.message);
}
