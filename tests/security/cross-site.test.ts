/** A page of somebody else's opens no socket with the cookie that the browser sends along (cross-site WebSocket hijacking). */
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPglite } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { RawClient } from "../handshake/raw-client.ts";
import { startNodeOn, type TestNode, tokenFor } from "../support/stack.ts";

const HOST = "chat.example";

async function startNode(settings: Record<string, string>): Promise<TestNode> {
  return startNodeOn(createStore(await openPglite(null), newId), new MemoryBroker().join(), settings);
}

/** The answer to a browser's upgrade request, whose cookie has the victim's token; and how many sockets it left open. */
async function openFrom(node: TestNode, headers: Record<string, string>) {
  const client = await RawClient.connect(node);
  const cookie = `theme=dark; token=${await tokenFor("victim")}`;
  client.requestUpgrade("/ws/notifications/", { host: HOST, cookie, ...headers });
  const { status } = await client.answer();
  const sockets = node.server.app.websocketServer.clients.size;
  const frame = status === 101 ? JSON.parse((await client.frame()).payload.toString()) : null;
  if (status === 101) client.reset();
  const body = await client.rest();
  return { status, sockets, frame, body };
}

const opened = { status: 101, sockets: 1, frame: { type: "unread_count", unread_count: 0 } };
const refused = { status: 403, sockets: 0, body: expect.stringContaining('"code":"forbidden"') };

/** Until what the last test opened is gone. */
async function untilEmpty(node: TestNode): Promise<void> {
  await expect.poll(() => node.server.app.websocketServer.clients.size, { timeout: 15_000 }).toBe(0);
}

describe.each([
  ["directly", {}],
  ["behind a trusted proxy", { TRUST_PROXY: "loopback" }],
])("a cookie's token, %s", (_name, settings) => {
  let node: TestNode;
  beforeAll(async () => {
    node = await startNode(settings);
  });
  afterAll(() => node?.server.close());

  it.each([
    ["http", `http://${HOST}`],
    ["https, which a proxy has ended", `https://${HOST}`],
    ["https with its port", `https://${HOST}:443`],
  ])("[AUTH-5] opens a socket to a page of the same origin: %s", async (_how, origin) => {
    await untilEmpty(node);
    expect(await openFrom(node, { origin })).toMatchObject(opened);
  });

  it.each([
    ["another site", { origin: "https://evil.example" }],
    ["a name below ours", { origin: `https://evil.${HOST}` }],
    ["a name that begins like ours", { origin: `https://${HOST}.evil.example` }],
    ["another port", { origin: `https://${HOST}:8443` }],
    ["a sandboxed frame or a file", { origin: "null" }],
    ["ours by its user name", { origin: `https://${HOST}@evil.example` }],
    ["two origins", { origin: `https://${HOST} https://evil.example` }],
    ["an origin that is empty", { origin: "" }],
    ["a host that a header claims", { origin: "https://evil.example", "x-forwarded-host": "evil.example" }],
    ["a host that another header claims", { origin: "https://evil.example", forwarded: "host=evil.example" }],
  ])("[AUTH-5] opens none to %s", async (_who, headers) => {
    await untilEmpty(node);
    expect(await openFrom(node, headers)).toMatchObject(refused);
  });
});

describe("a cookie's token, with origins listed", () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await startNode({ ALLOWED_ORIGINS: "https://app.example" });
  });
  afterAll(() => node?.server.close());

  it("[AUTH-5] opens a socket to those alone", async () => {
    expect(await openFrom(node, { origin: "https://app.example" })).toMatchObject(opened);
    await untilEmpty(node);
    for (const origin of [`https://${HOST}`, "http://app.example", "https://evil.example", "null"]) {
      expect(await openFrom(node, { origin }), origin).toMatchObject(refused);
    }
  });

  it("is no token over HTTP, where other sites' forms would bring it", async () => {
    const cookie = `token=${await tokenFor("victim")}`;
    for (const path of ["/api/me", "/api/conversations", "/api/rooms/victim/messages"]) {
      const answer = await fetch(`${node.http}${path}`, { headers: { cookie } });
      expect(answer.status, path).toBe(401);
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
  });
});

describe("a cookie's token, with any origin allowed", () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await startNode({ ALLOWED_ORIGINS: "*" });
  });
  afterAll(() => node?.server.close());

  it.each([`https://evil.example`, "null", "file://", "", `https://${HOST}:8443`, `https://evil.${HOST}`])(
    "[AUTH-5] is none for pages of other origins: %s",
    async (origin) => {
      await untilEmpty(node);
      expect(await openFrom(node, { origin })).toMatchObject({ status: 401, sockets: 0 });
    },
  );

  it("[AUTH-5] is one for the server's own pages, and for what is no page", async () => {
    expect(await openFrom(node, { origin: `https://${HOST}` })).toMatchObject(opened);
    await untilEmpty(node);
    expect(await openFrom(node, {})).toMatchObject(opened);
  });

  it("[AUTH-5] any page may open a socket with a token that it has", async () => {
    await untilEmpty(node);
    const authorization = `Bearer ${await tokenFor("visitor")}`;
    expect(await openFrom(node, { origin: "https://evil.example", authorization })).toMatchObject(opened);
  });
});
