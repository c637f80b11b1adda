/** A process of its own that floods a server in one way until it is ended: `flood.js <kind> <url> <user> <token>`. */
import { connect, type Socket } from "node:net";
import { setPriority } from "node:os";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { WebSocket } from "ws";

/** Somebody's address out there, as a trusted proxy says it: who comes from loopback may be let do more. */
const FROM = "198.51.100.7";
/** Sockets of the one user, far below MAX_SOCKETS_PER_USER; where nothing is read all 50. */
const SOCKETS = 10;
const UNREAD_SOCKETS = 50;
const UNREAD_REQUESTS = 500;
/** Bytes that wait in this process before it waits for the server to read. */
const MAX_BUFFERED = 262_144;
/** Milliseconds between two attempts at one thing. */
const PAUSE = 100;

const [, , kind = "", url = "", user = "", token = ""] = process.argv;
const { hostname, port } = new URL(url);
const headers = { authorization: `Bearer ${token}`, "x-forwarded-for": FROM };

/** As fast as the server reads, again and again on whatever socket is open. */
async function flood(path: string, frame: () => object): Promise<never> {
  const sockets = Array.from({ length: SOCKETS }, () => ({ socket: null as WebSocket | null, openedAt: 0 }));
  for (;;) {
    let isSending = false;
    for (const held of sockets) {
      const { socket } = held;
      if (socket === null || socket.readyState >= WebSocket.CLOSING) {
        if (performance.now() - held.openedAt < PAUSE) continue;
        held.openedAt = performance.now();
        held.socket = new WebSocket(`${url.replace("http", "ws")}${path}`, { headers });
        held.socket.on("error", () => {}).on("message", () => {});
      } else if (socket.readyState === WebSocket.OPEN && socket.bufferedAmount < MAX_BUFFERED) {
        isSending = true;
        for (let sent = 0; sent < 100; sent += 1) socket.send(JSON.stringify(frame()));
      }
    }
    // Where the server does not read, the cores are for those who are measured.
    await (isSending ? turn() : sleep(1));
  }
}

/** Connections that say this and read nothing; those that end are opened again. */
async function unread(count: number, request: string): Promise<never> {
  const sockets = new Set<Socket>();
  for (;;) {
    while (sockets.size < count) {
      const socket = connect(Number(port), hostname);
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
      socket.on("connect", () => {
        socket.pause();
        socket.write(request);
      });
      if (sockets.size % 25 === 0) await sleep(1);
    }
    await sleep(PAUSE);
  }
}

/** Requests behind each other on a few connections, as fast as they are read; the answers are thrown away. */
async function pipelined(requests: string): Promise<never> {
  for (;;) {
    const ended = Array.from({ length: 4 }, async () => {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => {}).resume();
      const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
      while (!socket.destroyed) {
        if (!socket.write(requests)) {
          await Promise.race([closed, new Promise((resolve) => socket.once("drain", resolve))]);
        }
        await turn();
      }
    });
    await Promise.all([Promise.race(ended), sleep(PAUSE)]);
  }
}

function get(path: string, more: Record<string, string> = {}): string {
  const lines = Object.entries({ host: "server", ...headers, ...more }).map(([name, value]) => `${name}: ${value}`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

const upgrade = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** So that there is something to read: as much as the default limits let in at once. */
async function write(): Promise<void> {
  const body = JSON.stringify({ message: "x".repeat(9_000) });
  for (let sent = 0; sent < 60; sent += 1) {
    const init = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body };
    await (await fetch(`${url}/api/rooms/${user}/messages`, init)).arrayBuffer();
  }
}

const room = `/ws/${user}/`;
const kinds: Readonly<Record<string, () => Promise<never>>> = {
  read: () => flood(room, () => ({ type: "read_messages" })),
  status: () => flood("/chat", () => ({ event: "user:get_status", data: { userId: user } })),
  ping: () => flood("/ws/notifications/", () => ({ type: "ping" })),
  typing: () => flood(room, () => ({ type: "typing", is_typing: true })),
  connectRooms: () => flood("/rooms", () => ({ event: "connectRooms", data: {} })),
  message: () => flood(room, () => ({ type: "chat_message", message: "flood" })),
  history: () => unread(UNREAD_REQUESTS, get(`/api/rooms/${user}/messages?limit=100`)),
  resume: () => unread(UNREAD_SOCKETS, get(`${room}?since=0`, upgrade)),
  stranger: () => pipelined((get("/metrics", { authorization: "none" }) + get("/readyz")).repeat(100)),
};

// It has a core in common with those who are measured: what filling its sockets takes is not to be theirs.
setPriority(19);
await write();
// A closed loop of messages has emptied the user's buckets; the flood begins with full ones.
await sleep(6_000);
process.send?.("ready");
await kinds[kind]?.();
throw new Error(`no such flood: ${kind}`);
