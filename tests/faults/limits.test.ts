/** What ends or refuses a socket does so on every node, at once for all of them, and takes nobody else along. */
import { expect, onTestFinished, test, vi } from "vitest";
import { Communicator, type Frame } from "../support/communicator.ts";
import { tokenFor } from "../support/stack.ts";
import { type Cluster, DEADLINE, describeFaults, startCluster } from "./cluster.ts";

const MAX_SOCKETS = 6;
const BURST = 10;
const settings = { MAX_SOCKETS_PER_USER: `${MAX_SOCKETS}`, SEND_BURST: `${BURST}`, SEND_RATE: "1" };
/** Seconds that a token lasts: long enough to open some sockets with it. */
const LIFE = 8;
const ROOM_PATHS = ["/ws/notifications/", "/chat", "/rooms"];

describeFaults("limits on two nodes", () => {
  test("[ROOM-8] [AUTH-7] [LIMIT-2] [LIMIT-4] removed, expired, too many, too often: as promised on every node", {
    timeout: DEADLINE,
  }, async () => {
    const cluster = await startCluster({ nodes: 2, redis: "shared", settings });
    const removed = await removal(cluster);
    const expired = await expiry(cluster);
    const refused = await tooManySockets(cluster);
    const limited = await tooManyMessages(cluster);
    console.log(
      `limits: 2 nodes; removed member: ${removed} sockets closed with 4403, nothing heard after; expired token: ${expired} sockets closed ` +
        `with 4401; socket limit of ${MAX_SOCKETS} over both: ${refused} refused with 4429; send rate: ${limited} refused with rate_limited, sockets open`,
    );
  });
});

/** Resolves with the number of sockets that were closed. */
async function removal(cluster: Cluster): Promise<number> {
  const members = ["owner", "gone", "stays"];
  for (const name of members) await request(cluster, name, "GET", "/api/me");
  const { id } = await request(cluster, "owner", "POST", "/api/conversations", { type: "group", name: "all", members });
  const rooms = await onBoth(cluster, "gone", `/ws/${id}/`);
  const chats = await onBoth(cluster, "gone", "/chat");
  const badges = await onBoth(cluster, "gone", "/ws/notifications/");
  const staying = await onBoth(cluster, "stays", `/ws/${id}/`);
  const heard: Frame[] = [];
  for (const { socket } of rooms) socket.on("message", (data) => heard.push(JSON.parse(data.toString())));
  for (const chat of chats) await fence(chat);
  for (const badge of badges) await badge.receive();
  for (const socket of staying) await socket.receiveType("online_user_list");

  await request(cluster, "owner", "DELETE", `/api/conversations/${id}/members/gone`);
  await request(cluster, "owner", "POST", `/api/rooms/${id}/messages`, { message: "among ourselves" });
  for (const room of rooms) expect((await room.closed).code).toBe(4403);
  expect(heard.filter(({ type }) => type === "chat_message")).toEqual([]);
  // Whoever stays on the same node has been told, so it has been decided there who is.
  for (const socket of staying) expect(await socket.receiveType("chat_message")).toMatchObject({ seq: 1 });
  for (const chat of chats)
    expect((await fence(chat)).filter(({ event }) => event === "chat:message_receive")).toEqual([]);
  for (const badge of badges) await badge.receiveNothing();
  await closeAll([...chats, ...badges, ...staying]);
  return rooms.length;
}

async function expiry(cluster: Cluster): Promise<number> {
  const expiresAt = (Math.floor(Date.now() / 1000) + LIFE) * 1000;
  const token = await tokenFor("brief", {}, LIFE);
  const sockets: Communicator[] = [];
  for (const node of cluster.nodes) {
    for (const path of ROOM_PATHS) sockets.push(await connect(`${node.sockets}${path}`, token));
  }
  for (const { closed } of sockets) {
    expect((await closed).code).toBe(4401);
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt);
  }
  return sockets.length;
}

async function tooManySockets(cluster: Cluster): Promise<number> {
  const open = async (index: number) => {
    const path = ROOM_PATHS[index % ROOM_PATHS.length];
    return connect(`${cluster.node(index).sockets}${path}`, await tokenFor("crowd"));
  };
  const sockets: Communicator[] = [];
  for (let index = 0; index < MAX_SOCKETS; index += 1) sockets.push(await open(index));
  const counted = ({ closed }: Communicator) =>
    Promise.race([closed.then(({ code }) => code), Promise.resolve("open")]);
  // A question on each: by its answer the socket has been counted.
  for (const [index, socket] of sockets.entries()) await pinged(socket, ROOM_PATHS[index % ROOM_PATHS.length] ?? "");
  let refused = 0;
  for (let index = 0; index < cluster.nodes.length * ROOM_PATHS.length; index += 1) {
    expect((await (await open(index)).closed).code).toBe(4429);
    refused += 1;
  }
  for (const socket of sockets) expect(await counted(socket)).toBe("open");
  await sockets[0]?.close();
  await vi.waitFor(async () => {
    const again = await open(0);
    await pinged(again, ROOM_PATHS[0] ?? "");
    sockets.push(again);
  });
  await closeAll(sockets.slice(1));
  return refused;
}

/** On each node the burst is the user's own there. */
async function tooManyMessages(cluster: Cluster): Promise<number> {
  let limited = 0;
  for (const node of cluster.nodes) {
    const socket = await connect(`${node.sockets}/ws/hasty/`, await tokenFor("hasty"));
    await socket.receiveType("online_user_list");
    const frames: Frame[] = [];
    for (let sent = 0; sent < 2 * BURST; sent += 1) {
      socket.send({ type: "chat_message", message: "now", client_id: `${node.index} ${sent}` });
    }
    while (frames.length < 2 * BURST) {
      const frame = await socket.receive();
      if (frame.client_id !== undefined) frames.push(frame);
    }
    const refused = frames.filter(({ type }) => type === "error");
    for (const frame of refused) {
      expect(frame).toMatchObject({ code: "rate_limited", retry_after: expect.any(Number) });
      expect(frame.retry_after).toBeGreaterThan(0);
    }
    // A token comes back each second.
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(BURST);
    await pinged(socket, "/ws/hasty/");
    await socket.close();
    limited += refused.length;
  }
  return limited;
}

async function connect(url: string, token: string): Promise<Communicator> {
  const socket = await Communicator.connect(url, token);
  onTestFinished(() => socket.socket.terminate());
  return socket;
}

async function onBoth(cluster: Cluster, name: string, path: string): Promise<Communicator[]> {
  const token = await tokenFor(name);
  return Promise.all(cluster.nodes.map(({ sockets }) => connect(`${sockets}${path}`, token)));
}

/** Everything that came before the answer to a question. Rejects when the socket is closed. */
async function fence(socket: Communicator): Promise<Frame[]> {
  const frames: Frame[] = [];
  socket.send({ event: "ping" });
  for (;;) {
    const frame = await socket.receive();
    if (frame.event === "pong") return frames;
    frames.push(frame);
  }
}

async function pinged(socket: Communicator, path: string): Promise<void> {
  if (!path.startsWith("/ws/")) await fence(socket);
  else {
    socket.send({ type: "ping" });
    await socket.receiveType("pong");
  }
}

async function closeAll(sockets: readonly Communicator[]): Promise<void> {
  await Promise.all(sockets.map((socket) => socket.close()));
}

async function request(cluster: Cluster, name: string, method: string, path: string, body?: object): Promise<Frame> {
  const response = await fetch(`${cluster.node(0).url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await tokenFor(name)}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect(response.status, text).toBeLessThan(300);
  return text === "" ? null : JSON.parse(text);
}
