/** Many who come and go, on every path and in every way, the rude ones too. */
import { once } from "node:events";
import { connect } from "node:net";
import { Communicator, HandshakeRefused } from "../support/communicator.ts";
import { tokenFor } from "../support/stack.ts";
import type { Cluster } from "./cluster.ts";

/** How a visit goes; what is said here is what has to become of it. */
const MANNERS = [
  /** Takes the first frame, and says good-bye. */
  "polite",
  /** Is gone without a word as soon as the socket is open. */
  "hasty",
  /** Sends half of the upgrade request, and is gone. */
  "cut in the request",
  /** Sends the upgrade request, and is gone before the answer. */
  "cut in the handshake",
  /** 401 */
  "bad token",
  /** 401 */
  "expired token",
  /** 4404 on the paths of rooms; on the others it is a polite one. */
  "wrong room",
] as const;
type Manner = (typeof MANNERS)[number];

export const GUESTS = 60;
export const guest = (index: number) => `guest-${index % GUESTS}`;

/** Visits at the same time. */
const CONCURRENCY = 40;

export interface FloodOutcome {
  /** How many visits of each manner went as they should. */
  readonly done: Readonly<Record<string, number>>;
  /** What did not. */
  readonly failures: readonly string[];
}

/** `group`: the id of one that all guests are members of. */
export async function flood(cluster: Cluster, group: string, visits: number): Promise<FloodOutcome> {
  const done: Record<string, number> = {};
  const failures: string[] = [];
  let begun = 0;
  const visitors = Array.from({ length: CONCURRENCY }, async () => {
    while (begun < visits) {
      const index = begun;
      begun += 1;
      const { name, path, manner, node } = visitOf(cluster, group, index);
      try {
        await visit(node, name, path, manner);
        done[manner] = (done[manner] ?? 0) + 1;
      } catch (error) {
        failures.push(`${manner} at ${path}: ${error instanceof Error ? error.message : error}`);
      }
    }
  });
  await Promise.all(visitors);
  return { done, failures };
}

/** Over time, every manner on every path of every node, by changing guests. */
function visitOf(cluster: Cluster, group: string, index: number) {
  const name = guest(index);
  const manner: Manner = MANNERS[index % MANNERS.length] ?? "polite";
  const paths = [
    `/ws/${group}/`,
    "/ws/notifications/",
    `/ws/${name}/`,
    "/chat",
    `/ws/notifications/${guest(index + 1)}/`,
    "/rooms",
  ];
  const turn = Math.floor(index / MANNERS.length);
  const path = paths[turn % paths.length] ?? "/chat";
  const node = cluster.node(Math.floor(turn / paths.length)).sockets;
  const hasRoom = /^\/ws\/(notifications\/)?[^/]+\/$/.test(path) && path !== "/ws/notifications/";
  return {
    name,
    node,
    path: manner === "wrong room" && hasRoom ? path.replace(/[^/]+\/$/, "nowhere/") : path,
    manner: manner === "wrong room" && !hasRoom ? ("polite" as const) : manner,
  };
}

async function visit(node: string, name: string, path: string, manner: Manner): Promise<void> {
  switch (manner) {
    case "polite": {
      const socket = await Communicator.connect(`${node}${path}`, await tokenFor(name));
      // The event dialects say nothing of themselves.
      if (path.startsWith("/ws/")) await socket.receive();
      const { code } = await socket.close();
      if (code !== 1000) throw new Error(`closed with ${code}`);
      return;
    }
    case "hasty": {
      const { socket, closed } = await Communicator.connect(`${node}${path}`, await tokenFor(name));
      socket.terminate();
      await closed;
      return;
    }
    case "cut in the request":
      return cut(node, `GET ${path} HTTP/1.1\r\nhost: loopback\r\nconnection: upg`);
    case "cut in the handshake":
      return cut(
        node,
        `GET ${path}?token=${await tokenFor(name)} HTTP/1.1\r\nhost: loopback\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
          "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
    case "bad token":
      return expectUnauthorized(node, path, "no.such.token");
    case "expired token":
      return expectUnauthorized(node, path, await tokenFor(name, {}, -60));
    case "wrong room": {
      const socket = await Communicator.connect(`${node}${path}`, await tokenFor(name));
      const { code } = await socket.closed;
      if (code !== 4404) throw new Error(`closed with ${code}`);
      return;
    }
  }
}

/** Resolves when the bytes have left and the connection is reset. */
async function cut(node: string, bytes: string): Promise<void> {
  const { hostname, port } = new URL(node);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  socket.resetAndDestroy();
  await once(socket, "close");
}

async function expectUnauthorized(node: string, path: string, token: string): Promise<void> {
  try {
    const socket = await Communicator.connect(`${node}${path}`, token);
    socket.socket.terminate();
  } catch (error) {
    if (error instanceof HandshakeRefused && error.status === 401) return;
    throw error;
  }
  throw new Error("was let in");
}
