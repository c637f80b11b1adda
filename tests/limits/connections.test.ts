/** How many connections there may be, and what is under way on one of them and for one address. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { RawClient } from "../handshake/raw-client.ts";
import { Communicator } from "../support/communicator.ts";
import { interceptedStore, startNodeOn, type TestNode, tokenFor } from "../support/stack.ts";
import { openEmbedded, type Storage } from "../support/storage.ts";

let storage: Storage;
/** What storage waits for, and how many wait there. */
let held: Promise<void> | undefined;
let proceed = () => {};
let under = 0;
let most = 0;

beforeAll(async () => {
  storage = await openEmbedded();
});
afterAll(() => storage?.close());
beforeEach(() => {
  held = new Promise((resolve) => {
    proceed = resolve;
  });
  [under, most] = [0, 0];
});
const nodes: TestNode[] = [];
const clients: RawClient[] = [];
afterEach(async () => {
  proceed();
  for (const client of clients.splice(0)) client.socket.destroy();
  for (const node of nodes.splice(0)) await node.server.close();
});

async function start(settings: Record<string, string>): Promise<TestNode> {
  const store = interceptedStore({ ...storage.store, close: async () => {} }, async (method) => {
    if (method !== "user") return;
    under += 1;
    most = Math.max(most, under);
    await held;
    under -= 1;
  });
  const node = await startNodeOn(store, new MemoryBroker().join(), settings);
  nodes.push(node);
  return node;
}

async function connect(node: TestNode): Promise<RawClient> {
  const client = await RawClient.connect(node);
  client.socket.on("error", () => {});
  clients.push(client);
  return client;
}

async function statusesOn(client: RawClient, count: number): Promise<number[]> {
  const statuses: number[] = [];
  while (statuses.length < count) {
    const { status, headers } = await client.answer();
    await client.body(Number(headers.get("content-length")));
    statuses.push(status);
  }
  return statuses;
}

const me = async (name: string) =>
  `GET /api/me HTTP/1.1\r\nhost: loopback\r\nauthorization: Bearer ${await tokenFor(name)}\r\n\r\n`;
const HEALTH = "GET /healthz HTTP/1.1\r\nhost: loopback\r\n\r\n";

describe("requests on one connection", () => {
  it("[LIMIT-18] eight are under way at a time, and all are answered in order", async () => {
    const client = await connect(await start({}));
    client.socket.write((await me("ann")).repeat(20) + HEALTH);
    await expect.poll(() => under).toBe(8);
    proceed();
    expect(await statusesOn(client, 21)).toEqual(Array(21).fill(200));
    expect(most).toBe(8);
  });

  it.each(["/metrics", "/healthz", "/readyz", "/nowhere"])(
    "[LIMIT-18] more than wait for it end it: %s",
    async (path) => {
      const node = await start({});
      const client = await connect(node);
      client.socket.write((await me("ann")).repeat(8) + HEALTH.replace("/healthz", path).repeat(5_000));
      await client.closed;
      proceed();
      expect((await fetch(`${node.http}/healthz`)).status).toBe(200);
    },
  );
});

describe("requests of one address", () => {
  it("[LIMIT-18] so many are under way at a time, ten times as many wait, and who asks how the server is waits for none", async () => {
    const node = await start({ MAX_REQUESTS_PER_ADDRESS: "2" });
    const first = await Promise.all(Array.from({ length: 22 }, () => connect(node)));
    for (const client of first) client.socket.write(await me("ann"));
    await expect.poll(() => under).toBe(2);
    // All of them are in the line when one more finds it full.
    await expect.poll(async () => (await fetch(`${node.http}/nowhere`)).status).toBe(429);
    expect((await fetch(`${node.http}/healthz`)).status).toBe(200);
    proceed();
    for (const client of first) expect(await statusesOn(client, 1)).toEqual([200]);
    expect(most).toBe(2);
  });
});

describe("connections", () => {
  const ended = async (node: TestNode) => {
    const client = await connect(node);
    client.socket.write(HEALTH);
    return client.answer().then(
      () => false,
      () => true,
    );
  };

  it.each(["MAX_CONNECTIONS", "MAX_CONNECTIONS_PER_ADDRESS"])("[LIMIT-19] more than %s are closed", async (name) => {
    proceed();
    const node = await start({ [name]: "3" });
    const socket = await Communicator.connect(`${node.sockets}/ws/notifications/`, await tokenFor("ann"));
    expect([await ended(node), await ended(node)]).toEqual([false, false]);
    expect([await ended(node), await ended(node)]).toEqual([true, true]);
    clients[0]?.socket.destroy();
    await expect.poll(() => ended(node)).toBe(false);
    await socket.close();
  });

  it("[LIMIT-19] those of a trusted proxy are of many clients, and one that offered an upgrade counts once", async () => {
    const node = await start({ MAX_CONNECTIONS_PER_ADDRESS: "1", TRUST_PROXY: "loopback" });
    expect([await ended(node), await ended(node)]).toEqual([false, false]);
    const strict = await start({ MAX_CONNECTIONS_PER_ADDRESS: "1" });
    const client = await connect(strict);
    const offer = HEALTH.replace("\r\n\r\n", "\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n");
    client.socket.write(offer + offer + offer);
    expect(await statusesOn(client, 3)).toEqual([200, 200, 200]);
  });
});

describe("the operator's port", () => {
  it("has the operator's routes, and the other port has them no more", async () => {
    proceed();
    const node = await start({ OPERATIONS_PORT: "0" });
    const operations = node.server.operationsAddress ?? "";
    for (const path of ["/healthz", "/readyz", "/metrics", "/docs/openapi.json"]) {
      expect((await fetch(`${operations}${path}`)).status, path).toBe(200);
      expect((await fetch(`${node.http}${path}`)).status, path).toBe(404);
    }
    expect((await fetch(`${operations}/api/me`)).status).toBe(404);
  });
});
