/** Requests with an Upgrade header: in front of them, behind them, and of other protocols. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { interceptedStore, startNodeOn, type TestNode, tokenFor } from "../support/stack.ts";
import { openEmbedded, type Storage } from "../support/storage.ts";
import { clientFrame, RawClient } from "./raw-client.ts";

let storage: Storage;
let node: TestNode;
/** What storage waits for before it looks a user up. */
let held: Promise<void> | undefined;
let asked = 0;

const start = (settings: Record<string, string> = {}) =>
  startNodeOn(
    interceptedStore({ ...storage.store, close: async () => {} }, (method) => {
      if (method !== "user") return undefined;
      asked += 1;
      return held;
    }),
    new MemoryBroker().join(),
    settings,
  );

beforeAll(async () => {
  storage = await openEmbedded();
  node = await start();
});
afterAll(async () => {
  await node?.server.close();
  await storage?.close();
});
beforeEach(() => {
  held = undefined;
  asked = 0;
});
const clients: RawClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.socket.destroy();
});

async function connect(to = node): Promise<RawClient> {
  const client = await RawClient.connect(to);
  client.socket.on("error", () => {});
  clients.push(client);
  return client;
}

const HANDSHAKE =
  "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const OTHERS = [
  [
    "h2c, as curl offers it",
    "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n",
  ],
  ["TLS/1.0", "connection: upgrade\r\nupgrade: TLS/1.0\r\n"],
  ["two of them", "connection: keep-alive, upgrade\r\nupgrade: foo/2, h2c\r\n"],
  ["two of them in two lines", "connection: upgrade\r\nupgrade: foo\r\nupgrade: h2c\r\n"],
  ["one that is nearly known", "connection: upgrade\r\nupgrade: websockets\r\n"],
] as const;

function request(method: string, path: string, headers = "", body = ""): string {
  const length = body === "" ? "" : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nhost: loopback\r\n${headers}${length}\r\n${body}`;
}

/** The next answer with its body, on a connection that goes on. */
async function answer(client: RawClient): Promise<{ status: number; body: string }> {
  const { status, headers } = await client.answer();
  return { status, body: await client.body(Number(headers.get("content-length"))) };
}

describe.each(OTHERS)("an offer of %s", (_name, offer) => {
  it("[UPGRADE-1] is ignored: the request is answered, and the connection goes on", async () => {
    const client = await connect();
    for (let times = 0; times < 3; times += 1) {
      client.socket.write(request("GET", "/healthz", offer));
      expect(await answer(client)).toEqual({ status: 200, body: '{"status":"ok"}' });
    }
    client.socket.write(request("GET", "/ws/alice/", offer));
    expect((await answer(client)).status).toBe(426);
  });

  it("[UPGRADE-1] leaves the request its body, whole or in chunks, and what is written behind it", async () => {
    const client = await connect();
    const auth = `authorization: Bearer ${await tokenFor("ann")}\r\n`;
    const body = JSON.stringify({ message: "with a body" });
    const first = request("POST", "/api/rooms/ann/messages", auth + offer, body);
    const chunked = request(
      "POST",
      "/api/rooms/ann/messages",
      `${auth + offer}content-type: application/json\r\ntransfer-encoding: chunked\r\n`,
    );
    client.socket.write(first + request("GET", "/healthz", offer) + request("GET", "/nowhere", offer) + chunked);
    expect(await answer(client)).toMatchObject({ status: 201, body: expect.stringContaining("with a body") });
    expect((await answer(client)).status).toBe(200);
    expect((await answer(client)).status).toBe(404);
    client.socket.write(`5\r\n${body.slice(0, 5)}\r\n`);
    client.socket.write(
      `${(body.length - 5).toString(16)}\r\n${body.slice(5)}\r\n0\r\n\r\n${request("GET", "/readyz")}`,
    );
    expect((await answer(client)).status).toBe(201);
    expect((await answer(client)).status).toBe(200);
  });
});

describe("a WebSocket's handshake", () => {
  const handshake = async (path = "/ws/notifications/", name = "ann") =>
    request("GET", path, `${HANDSHAKE}authorization: Bearer ${await tokenFor(name)}\r\n`);

  it.each(["websocket", "WebSocket", "h2c, websocket", "websocket, websocket"])(
    "is one by Upgrade: %s",
    async (upgrade) => {
      const client = await connect();
      client.requestUpgrade("/ws/notifications/", { authorization: `Bearer ${await tokenFor("ann")}`, upgrade });
      expect((await client.answer()).status).toBe(101);
    },
  );

  it("is none in HTTP/1.0, nor with a body", async () => {
    const client = await connect();
    const with10 = (await handshake())
      .replace("HTTP/1.1", "HTTP/1.0")
      .replace("upgrade\r\n", "upgrade, keep-alive\r\n");
    client.socket.write(with10);
    expect((await answer(client)).status).toBe(426);
    client.socket.write((await handshake()).replace("\r\n\r\n", "\r\ncontent-length: 3\r\n\r\n{}\n"));
    expect((await answer(client)).status).toBe(426);
  });

  it.each([
    ["a request", () => request("GET", "/healthz"), [200]],
    ["many requests", () => request("GET", "/healthz").repeat(30), Array(30).fill(200)],
    [
      "a request for nothing, and one of another protocol",
      () => request("GET", "/%zz") + request("GET", "/x", OTHERS[0][1]),
      [400, 404],
    ],
    ["a request with an expectation", () => request("GET", "/healthz", "expect: miracles\r\n"), [200]],
  ] as const)("[UPGRADE-2] is answered behind %s", async (_name, front, statuses) => {
    const client = await connect();
    client.socket.write(front() + (await handshake()));
    for (const status of statuses) expect((await answer(client)).status).toBe(status);
    expect((await client.answer()).status).toBe(101);
    expect(JSON.parse((await client.frame()).payload.toString())).toEqual({ type: "unread_count", unread_count: 0 });
  });

  it("[UPGRADE-2] waits for a slow request in front of it, and loses no frame behind it", async () => {
    let proceed = () => {};
    held = new Promise((resolve) => {
      proceed = resolve;
    });
    const client = await connect();
    const me = request("GET", "/api/me", `authorization: Bearer ${await tokenFor("ann")}\r\n`);
    client.socket.write(me + (await handshake()));
    client.socket.write(clientFrame(0x81, '{"type":"ping"}'));
    await expect.poll(() => asked).toBe(1);
    held = undefined;
    proceed();
    expect((await answer(client)).status).toBe(200);
    expect((await client.answer()).status).toBe(101);
    expect(JSON.parse((await client.frame()).payload.toString()).type).toBe("unread_count");
    expect(JSON.parse((await client.frame()).payload.toString())).toEqual({ type: "pong" });
  });

  it("[UPGRADE-2] is refused behind a request as it is alone, and the connection ends", async () => {
    const client = await connect();
    client.socket.write(request("GET", "/healthz") + request("GET", "/ws/ann/", HANDSHAKE));
    expect((await answer(client)).status).toBe(200);
    expect((await answer(client)).status).toBe(401);
    await client.closed;
  });

  it("[UPGRADE-2] is not looked at behind a last request, and the connection ends", async () => {
    const client = await connect();
    client.socket.write(request("GET", "/healthz", "connection: close\r\n") + (await handshake()));
    expect((await answer(client)).status).toBe(200);
    expect(await client.rest()).toBe("");
  });

  it("[UPGRADE-2] the second of two is the first one's frames: the connection ends", async () => {
    const client = await connect();
    client.socket.write((await handshake()) + (await handshake()));
    expect((await client.answer()).status).toBe(101);
    await client.closed;
  });

  it("[LIMIT-8] [LIMIT-9] counts where it comes behind another request, and so does that one", async () => {
    const strict = await start({ CONNECT_RATE: "1", CONNECT_BURST: "2", HTTP_RATE: "1", HTTP_BURST: "2" });
    const behind = async () => {
      const client = await connect(strict);
      client.socket.write(request("GET", "/nowhere") + request("GET", "/ws/ann/", HANDSHAKE));
      const statuses = [(await answer(client)).status, (await answer(client)).status];
      await client.closed;
      return statuses;
    };
    expect([await behind(), await behind(), await behind()]).toEqual([
      [404, 401],
      [404, 401],
      [429, 429],
    ]);
    await strict.server.close();
  });
});

describe("a server that stops", () => {
  test("[UPGRADE-3] waits for no connection that was about to be upgraded", async () => {
    const stopping = await start();
    held = new Promise(() => {});
    const auth = `authorization: Bearer ${await tokenFor("ann")}\r\n`;
    const hanging = [
      request("GET", "/api/me", auth) + request("GET", "/ws/ann/", HANDSHAKE),
      request("GET", "/api/me", auth) + request("GET", "/healthz", OTHERS[0][1]),
      request("GET", "/ws/ann/", HANDSHAKE + auth),
    ];
    const ends: Promise<unknown>[] = [];
    for (const bytes of hanging) {
      const client = await connect(stopping);
      client.socket.write(bytes);
      ends.push(client.closed);
    }
    await expect.poll(() => asked).toBe(hanging.length);
    await stopping.server.close();
    await Promise.all(ends);
  });

  test("[UPGRADE-3] does not wait for those whose clients went away", async () => {
    const stopping = await start();
    let proceed = () => {};
    held = new Promise((resolve) => {
      proceed = resolve;
    });
    const client = await connect(stopping);
    const me = request("GET", "/api/me", `authorization: Bearer ${await tokenFor("ann")}\r\n`);
    client.socket.write(me + me + me + request("GET", "/ws/ann/", HANDSHAKE));
    await expect.poll(() => asked).toBe(3);
    client.reset();
    await once(client.socket, "close");
    proceed();
    await stopping.server.close();
  });
});

describe("clients that offer HTTP/2 in plain text", () => {
  const run = promisify(execFile);

  it("[UPGRADE-1] curl --http2 is answered", async () => {
    const { stdout } = await run("curl", ["--silent", "--http2", `${node.http}/healthz`, `${node.http}/healthz`]);
    expect(stdout).toBe('{"status":"ok"}{"status":"ok"}');
  });
});
