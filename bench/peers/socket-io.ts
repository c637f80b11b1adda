/**
 * Rooms and badges on Socket.IO with its Redis adapter, and an INSERT for each message as in `ws-insert`: what an
 * application writes by the manual of both. DATABASE_URL, REDIS_URL.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import { type DefaultEventsMap, Server, type Socket } from "socket.io";
import { Directory, type Room, type User } from "./directory.ts";
import { createPost, type Message } from "./messages.ts";
import { listen, stopOnSignal } from "./peer-process.ts";
import { openPostgresStorage } from "./postgres-storage.ts";
import { setting } from "./settings.ts";
import { createVerifier } from "./tokens.ts";

/** What a client sends, of which nothing is sure before it was looked at. */
interface ClientEvents {
  /** `room`: another user's name. Acknowledged when the socket hears the room. */
  join(request: { readonly room?: unknown } | null, acknowledge?: () => void): void;
  /** `room`: one that was joined. */
  chat_message(
    frame: { readonly room?: unknown; readonly message?: unknown; readonly client_id?: unknown } | null,
  ): void;
  /** Followed by `unread_count`, and by `new_message_notification` for each message from then on. */
  notifications(request: unknown, acknowledge?: () => void): void;
}

interface ServerEvents {
  chat_message(frame: object): void;
  unread_count(frame: { readonly unread_count: number }): void;
  new_message_notification(frame: { readonly unread_count: number }): void;
}

interface SocketData {
  user: User;
}

type PeerSocket = Socket<ClientEvents, ServerEvents, DefaultEventsMap, SocketData>;

const verify = createVerifier(setting("JWT_SECRET"));
const storage = await openPostgresStorage(setting("DATABASE_URL"));
const publisher = new Redis(setting("REDIS_URL"));
const subscriber = publisher.duplicate();
for (const redis of [publisher, subscriber]) redis.on("error", (error) => console.error(error.message));

const directory = new Directory();
const http = createServer();
const io = new Server<ClientEvents, ServerEvents, DefaultEventsMap, SocketData>(http, {
  transports: ["websocket"],
  perMessageDeflate: false,
  serveClient: false,
  // Channels of its own: a Redis may be shared with others.
  adapter: createAdapter(publisher, subscriber, { key: `socket.io-${randomUUID()}` }),
});
const post = createPost(storage, {
  deliver: (message) => {
    io.to(roomChannel(message.room)).emit("chat_message", chatMessage(message));
  },
  notify: (user) => {
    io.to(userChannel(user)).emit("new_message_notification", { unread_count: user.unread });
  },
});

io.use((socket, next) => {
  verify(String(socket.handshake.auth.token)).then(
    (name) => {
      socket.data.user = directory.user(name);
      next();
    },
    (error: Error) => next(error),
  );
});

io.on("connection", (socket: PeerSocket) => {
  const { user } = socket.data;
  /** By the names that this socket joined them with. */
  const rooms = new Map<string, Room>();

  socket.on("join", (request, acknowledge) => {
    const name = request?.room;
    if (typeof name !== "string") return;
    const room = directory.room(user, name);
    if (room === null) return;
    rooms.set(name, room);
    socket.join(roomChannel(room));
    acknowledge?.();
  });
  socket.on("chat_message", (frame) => {
    const { room: roomName, message: text, client_id: clientId } = frame ?? {};
    if (typeof roomName !== "string" || typeof text !== "string") return;
    const room = rooms.get(roomName);
    if (room === undefined) return;
    post({ room, roomName, sender: user, text, clientId: typeof clientId === "string" ? clientId : undefined });
  });
  socket.on("notifications", (_request, acknowledge) => {
    socket.join(userChannel(user));
    acknowledge?.();
    socket.emit("unread_count", { unread_count: user.unread });
  });
});

stopOnSignal(async () => {
  await io.close();
  await directory.settled();
  await storage.close();
  publisher.disconnect();
  subscriber.disconnect();
});
await listen(http);

function roomChannel({ key }: Room): string {
  return `room:${key}`;
}

function userChannel({ name }: User): string {
  return `user:${name}`;
}

function chatMessage({ id, seq, text, clientId, roomName, sender, createdAt }: Message): object {
  return {
    id,
    seq,
    message: text,
    client_id: clientId,
    room: roomName,
    from_user: { username: sender.name },
    date_added: createdAt,
  };
}
