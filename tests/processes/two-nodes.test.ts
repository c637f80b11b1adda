import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Communicator, type Frame } from "../support/communicator.ts";
import { endProcessesAfterEach, type ServerProcess, startProcess } from "../support/processes.ts";
import { type FreshDatabase, freshDatabase, postgresUrl, redisUrl, servicesMissing } from "../support/services.ts";
import { tokenFor } from "../support/stack.ts";

/** Ms; it ends what hangs. A lease runs out in one of the tests. */
const DEADLINE = 60_000;
const USERS = ["alice", "bob", "carol", "dave"];
const MESSAGES = 100;

const isMissing = postgresUrl === undefined || redisUrl === undefined;

describe.skipIf(isMissing)(`two processes${isMissing ? ` (${servicesMissing})` : ""}`, { timeout: DEADLINE }, () => {
  let database: FreshDatabase;
  let nodes: [ServerProcess, ServerProcess];
  const communicators: Communicator[] = [];

  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database?.drop());

  beforeEach(async () => {
    const settings = {
      DATABASE_URL: database.url,
      REDIS_URL: redisUrl ?? "",
      REDIS_PREFIX: `parley_test_${randomUUID()}:`,
      SEND_RATE: "10000",
      SEND_BURST: "10000",
    };
    // Both at once, the first time on an empty database.
    nodes = [startProcess(settings), startProcess(settings)];
    await Promise.all(nodes.map((node) => node.address));
  }, DEADLINE);
  endProcessesAfterEach();
  afterEach(() => {
    for (const { socket } of communicators.splice(0)) socket.terminate();
  });

  async function connect(node: ServerProcess, user: string, path: string): Promise<Communicator> {
    const sockets = (await node.address).replace("http", "ws");
    const communicator = await Communicator.connect(`${sockets}${path}`, await tokenFor(user));
    communicators.push(communicator);
    return communicator;
  }

  async function request(node: ServerProcess, user: string, method: string, path: string, body?: object) {
    const response = await fetch(`${await node.address}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await tokenFor(user)}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer: Frame = await response.json();
    expect(response.status, JSON.stringify(answer)).toBeLessThan(300);
    return answer;
  }

  async function group(): Promise<string> {
    for (const user of USERS) await request(nodes[0], user, "GET", "/api/me");
    return (
      await request(nodes[0], "alice", "POST", "/api/conversations", { type: "group", name: "all", members: USERS })
    ).id;
  }

  /** All of a conversation, oldest first. */
  async function history(node: ServerProcess, room: string): Promise<Frame[]> {
    const messages: Frame[] = [];
    let path: string | null = `/api/rooms/${room}/messages?limit=100`;
    while (path !== null) {
      const page: Frame = await request(node, "alice", "GET", path);
      messages.push(...page.messages);
      const next: string | null = page.next;
      path =
        next === null ? null : new URL(next, await node.address).pathname + new URL(next, await node.address).search;
    }
    return messages.reverse();
  }

  async function receiveMessages(socket: Communicator, count: number): Promise<Frame[]> {
    const frames: Frame[] = [];
    while (frames.length < count) frames.push(await socket.receiveType("chat_message"));
    return frames;
  }

  test("many send on both at once: all see one list, badges are right, and what is sent again is not said again", async () => {
    const room = await group();
    const sockets = await Promise.all(
      USERS.map((user, index) => connect(nodes[index % 2 === 0 ? 0 : 1], user, `/ws/${room}/`)),
    );
    const badges = await Promise.all(
      USERS.map((user, index) => connect(nodes[index % 2 === 0 ? 1 : 0], user, "/ws/notifications/")),
    );
    for (const badge of badges) expect(await badge.receive()).toEqual({ type: "unread_count", unread_count: 0 });
    for (const [index, socket] of sockets.entries()) {
      for (let sent = 0; sent < MESSAGES; sent += 1) {
        socket.send({ type: "chat_message", message: `${USERS[index]} ${sent}`, client_id: `${sent}` });
      }
    }

    const total = USERS.length * MESSAGES;
    const lists = await Promise.all(sockets.map((socket) => receiveMessages(socket, total)));
    const [first] = lists;
    expect(first?.map((frame) => frame.seq)).toEqual(Array.from({ length: total }, (_, index) => index + 1));
    for (const list of lists) expect(list.map((frame) => frame.id)).toEqual(first?.map((frame) => frame.id));
    // Each sender's own order is kept.
    for (const user of USERS) {
      const own = first?.filter((frame) => frame.from_user.username === user).map((frame) => frame.client_id);
      expect(own).toEqual(Array.from({ length: MESSAGES }, (_, index) => `${index}`));
    }
    for (const badge of badges) {
      const counts: number[] = [];
      while (counts.length < total - MESSAGES)
        counts.push((await badge.receiveType("new_message_notification")).unread_count);
      expect(counts).toEqual(Array.from({ length: total - MESSAGES }, (_, index) => index + 1));
    }
    expect((await history(nodes[1], room)).map((message) => message.id)).toEqual(first?.map((frame) => frame.id));

    const elsewhere = await connect(nodes[1], "alice", `/ws/${room}/`);
    elsewhere.send({ type: "chat_message", message: "alice 7", client_id: "7" });
    const again = await elsewhere.receiveType("chat_message");
    expect(again).toMatchObject({ repeated: true, client_id: "7" });
    expect(first?.map((frame) => frame.id)).toContain(again.id);
  });

  test("kill -9 of one: its users leave within the lease, and they resume on the other with nothing lost", async () => {
    const room = await group();
    const alice = await connect(nodes[0], "alice", `/ws/${room}/`);
    const bob = await connect(nodes[1], "bob", `/ws/${room}/`);
    await bob.receiveType("user_join");
    const acknowledged: Frame[] = [];
    for (let sent = 0; sent < MESSAGES; sent += 1) {
      alice.send({ type: "chat_message", message: `before ${sent}`, client_id: `before ${sent}` });
    }
    acknowledged.push(...(await receiveMessages(alice, MESSAGES / 2)));
    // A lease with the sweep after it is longer than a communicator waits for one frame.
    const told = new Promise<void>((resolve) => {
      bob.socket.on("message", (data) => {
        if (JSON.parse(data.toString()).type === "user_leave") resolve();
      });
    });
    await nodes[0].end("SIGKILL");
    expect((await alice.closed).code).toBe(1006);

    await told;
    const heard: Frame[] = [];
    let frame: Frame = await bob.receive();
    while (frame.type === "chat_message") {
      heard.push(frame);
      frame = await bob.receive();
    }
    expect(frame).toEqual({ type: "user_leave", user: "alice" });

    const stored = await history(nodes[1], room);
    const ids = stored.map((message) => message.id);
    expect(ids.slice(0, acknowledged.length)).toEqual(acknowledged.map((message) => message.id));
    const since = acknowledged.at(-1).seq;
    const resumed = await connect(nodes[1], "alice", `/ws/${room}/?since=${since}`);
    expect(await resumed.receive()).toEqual({ type: "online_user_list", users: ["bob"] });
    const replayed = await receiveMessages(resumed, stored.length - acknowledged.length);
    expect([...acknowledged, ...replayed].map((message) => message.id)).toEqual(ids);
    expect(await resumed.receive()).toEqual({ type: "resumed", seq: stored.at(-1).seq });
    while (heard.length < stored.length) heard.push(await bob.receiveType("chat_message"));
    expect(heard.map((message) => message.id)).toEqual(ids);
  });

  test("SIGTERM closes every socket with 1012 and exits with 0, and the other goes on", async () => {
    const room = await group();
    const alice = await connect(nodes[0], "alice", `/ws/${room}/`);
    const badge = await connect(nodes[0], "alice", "/ws/notifications/");
    const bob = await connect(nodes[1], "bob", `/ws/${room}/`);
    await bob.receiveType("user_join");
    alice.send({ type: "chat_message", message: "last words" });
    expect(await bob.receiveType("chat_message")).toMatchObject({ message: "last words" });
    expect(await nodes[0].end("SIGTERM")).toEqual({ code: 0, signal: null });
    expect((await alice.closed).code).toBe(1012);
    expect((await badge.closed).code).toBe(1012);
    expect(await bob.receiveType("user_leave")).toEqual({ type: "user_leave", user: "alice" });
    bob.send({ type: "chat_message", message: "and on" });
    expect(await bob.receiveType("chat_message")).toMatchObject({ message: "and on", seq: 2 });
  });
});
