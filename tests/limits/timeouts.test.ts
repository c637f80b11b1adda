/** Clients that are slow, or do not speak HTTP, hold nothing for long and are told why. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import Fastify from "fastify";
import { v7 as newId } from "uuid";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { openPglite } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { startServer } from "../../server/app.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { serverOptions } from "../../server/http/server-options.ts";
import { errorBody } from "../../server/protocol/errors.ts";
import { RawClient } from "../handshake/raw-client.ts";
import { Communicator } from "../support/communicator.ts";
import { startNodeOn, type TestNode, testConfig, tokenFor } from "../support/stack.ts";

/** In milliseconds: the order of the real ones, and near enough to be waited for. */
const SHORT = { headers: 1_000, request: 2_000, inactivity: 2_500, keepAlive: 1_000, check: 50 };
/** More than a connection takes in that nobody reads. */
const LARGE = "x".repeat(64 * 1024 * 1024);

let impatient: TestNode;
let node: TestNode;
beforeAll(async () => {
  node = await startNodeOn(createStore(await openPglite(null), newId), new MemoryBroker().join());
  const config = testConfig();
  const app = Fastify(serverOptions(config.maxFrameBytes, SHORT));
  const store = createStore(await openPglite(null), newId);
  const describe = { storage: "a test's storage", layer: "a test's layer" };
  const server = await startServer(config, { store, layer: new MemoryBroker().join(), isSwept: false, describe }, app);
  app.get("/large", async () => LARGE);
  await app.listen({ host: "127.0.0.1", port: 0 });
  impatient = { server, http: server.address, sockets: server.address.replace("http", "ws") };
});
afterAll(async () => {
  await impatient?.server.close();
  await node?.server.close();
});

const open: { end(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.end();
});

async function client(of = node): Promise<RawClient> {
  const raw = await RawClient.connect(of);
  raw.socket.on("error", () => {});
  open.push({ end: () => raw.socket.destroy() });
  return raw;
}

/** What came until the server ended the connection. */
async function lastWords(raw: RawClient) {
  const { status, headers } = await raw.answer();
  expect(headers.get("connection")).toBe("close");
  expect(Object.fromEntries(headers)).toMatchObject({
    "content-type": "application/json; charset=utf-8",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  });
  const body = await raw.rest();
  expect(Buffer.byteLength(body)).toBe(Number(headers.get("content-length")));
  return { status, headers, ...errorBody.parse(JSON.parse(body)).error };
}

const late = { status: 400, code: "invalid_frame", message: "the request did not arrive whole in time" };

describe("a slow client", () => {
  it("[LIMIT-10] whose headers do not come to an end is answered and cut", async () => {
    const raw = await client(impatient);
    raw.socket.write("GET /healthz HTTP/1.1\r\nhost: loopback\r\n");
    expect(await lastWords(raw)).toMatchObject(late);
  });

  it("[LIMIT-10] gains nothing by a byte now and then", async () => {
    const raw = await client(impatient);
    raw.socket.write("GET /healthz HTTP/1.1\r\nhost: loopback\r\nx-slow: ");
    const drip = setInterval(() => raw.socket.write("x"), 20);
    open.push({ end: () => clearInterval(drip) });
    expect(await lastWords(raw)).toMatchObject(late);
  });

  it("[LIMIT-10] whose body does not come to an end is answered and cut", async () => {
    const token = await tokenFor("slow");
    const raw = await client(impatient);
    raw.socket.write(`POST /api/rooms/slow/messages HTTP/1.1\r\nhost: loopback\r\nauthorization: Bearer ${token}\r\n`);
    raw.socket.write("content-type: application/json\r\ncontent-length: 1000\r\n\r\n");
    const drip = setInterval(() => raw.socket.write(" "), 20);
    open.push({ end: () => clearInterval(drip) });
    expect(await lastWords(raw)).toMatchObject(late);
  });

  it("that says nothing at all is cut without an answer", async () => {
    expect(await (await client(impatient)).rest()).toBe("");
  });

  it("that has been answered and asks for nothing more is cut", async () => {
    const raw = await client(impatient);
    raw.request("/healthz");
    expect(await raw.answer()).toMatchObject({ status: 200 });
    expect(await raw.rest()).toBe('{"status":"ok"}');
  });

  it("[LIMIT-10] that takes nothing of its answer in is cut", async () => {
    await vi.waitFor(async () => expect(await openConnections()).toBe(0), 15_000);
    const socket: Socket = connect(Number(new URL(impatient.http).port), "127.0.0.1");
    open.push({ end: () => socket.destroy() });
    await once(socket, "connect");
    socket.pause();
    socket.write("GET /large HTTP/1.1\r\nhost: loopback\r\n\r\n");
    await vi.waitFor(async () => expect(await openConnections()).toBe(1), 15_000);
    await vi.waitFor(async () => expect(await openConnections()).toBe(0), 15_000);
  });

  it("is none when it listens on a socket, however long nothing is said there", async () => {
    const listening = await Communicator.connect(`${impatient.sockets}/ws/quiet/`, await tokenFor("quiet"));
    await listening.receiveMany(2);
    // Two clients that are cut one after the other, for want of a word, while the socket is as silent.
    for (let waited = 0; waited < 2; waited += 1) {
      const other = await client(impatient);
      other.request("/healthz");
      await other.rest();
    }
    listening.send({ type: "ping" });
    expect(await listening.receive()).toEqual({ type: "pong" });
    await listening.close();
  });
});

function openConnections(): Promise<number> {
  return new Promise((resolve, reject) => {
    impatient.server.app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

describe("what is no HTTP", () => {
  it.each([
    ["a line of text", "hello\r\n\r\n"],
    ["the beginning of TLS", Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03])],
    ["a version that there is not", "GET / HTTP/9.9\r\nhost: loopback\r\n\r\n"],
    ["a blank in a header's name", "GET / HTTP/1.1\r\nhost: loopback\r\nx y: z\r\n\r\n"],
    ["a length that is none", "POST / HTTP/1.1\r\nhost: loopback\r\ncontent-length: 1x\r\n\r\n"],
    ["two lengths", "POST / HTTP/1.1\r\nhost: loopback\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"],
    [
      "a length beside chunks",
      "POST / HTTP/1.1\r\nhost: loopback\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
  ])("[LIMIT-10] is answered with 400 and cut: %s", async (_name, bytes) => {
    const raw = await client();
    raw.socket.write(bytes);
    const said = { status: 400, code: "invalid_frame", message: "this is no HTTP request" };
    expect(await lastWords(raw)).toMatchObject(said);
  });

  it.each([
    ["a header", "/healthz", { "x-large": "x".repeat(16_384) }],
    [
      "many headers",
      "/healthz",
      Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x-${index}`, "x".repeat(40)])),
    ],
    ["a path", `/${"x".repeat(16_384)}`, {}],
  ])("[LIMIT-10] is too large for 16 KiB: %s", async (_name, path, headers) => {
    const raw = await client();
    raw.request(path, headers);
    const message = "the request line and headers are larger than 16384 bytes";
    expect(await lastWords(raw)).toMatchObject({ status: 413, code: "too_large", message });
  });

  it("is not taken for the end of the request before it", async () => {
    const raw = await client();
    raw.socket.write("GET /healthz HTTP/1.1\r\nhost: loopback\r\n\r\n");
    const { status, headers } = await raw.answer();
    expect(status).toBe(200);
    expect(headers.get("content-length")).toBe("15");
    raw.socket.write("rubbish\r\n\r\n");
    expect(await raw.rest()).toMatch(/^\{"status":"ok"\}HTTP\/1\.1 400 Bad Request\r\n/);
  });
});

describe("an upgrade request that is none of RFC 6455", () => {
  it.each([
    ["a key of too few bytes", { "sec-websocket-key": "c2hvcnQ=" }, /Sec-WebSocket-Key/],
    ["a key that is no base64", { "sec-websocket-key": "????????????????????????" }, /Sec-WebSocket-Key/],
    ["an empty key", { "sec-websocket-key": "" }, /Sec-WebSocket-Key/],
    ["version 12", { "sec-websocket-version": "12" }, /Sec-WebSocket-Version/],
    ["subprotocols that are none", { "sec-websocket-protocol": "a,,b" }, /Sec-WebSocket-Protocol/],
  ])("[LIMIT-10] is answered with 400 and cut: %s", async (_name, wrong, message) => {
    const raw = await client();
    raw.requestUpgrade("/ws/notifications/", { authorization: `Bearer ${await tokenFor("alice")}`, ...wrong });
    const said = await lastWords(raw);
    expect(said).toMatchObject({ status: 400, code: "invalid_frame", message: expect.stringMatching(message) });
    // RFC 6455, 4.4: the version that is spoken here.
    expect(said.headers.get("sec-websocket-version")).toBe("13");
  });

  it.each(["POST", "PUT", "OPTIONS", "DELETE"])("finds no socket by %s", async (method) => {
    const raw = await client();
    const token = await tokenFor("alice");
    raw.socket.write(
      `${method} /ws/notifications/ HTTP/1.1\r\nhost: loopback\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
        `sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: Bearer ${token}\r\n\r\n`,
    );
    expect(await lastWords(raw)).toMatchObject({ status: 404, code: "not_found" });
  });
});

describe("a server as it is started", () => {
  it("[LIMIT-10] gives 10 s for headers, 30 s for a request, and 60 s without a byte", async () => {
    expect(node.server.app.server).toMatchObject({
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      timeout: 60_000,
      keepAliveTimeout: 75_000,
    });
  });
});
