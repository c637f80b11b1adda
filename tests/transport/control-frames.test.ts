import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clientFrame, LoopbackServer, turn } from "./loopback.ts";

const PING = 0x89;
const PONG = 0x8a;
const TEXT = 0x81;

let server: LoopbackServer;
beforeEach(async () => {
  server = await LoopbackServer.start({ maxBufferedBytes: 65_536 });
});
afterEach(() => server.stop());

const pongOf = (payload: string) => Buffer.concat([Buffer.from([PONG, payload.length]), Buffer.from(payload)]);

test("a ping is answered with its payload, and a pong with nothing; both are told of", async () => {
  const { peer, handler } = await server.rawPair();
  let told = 0;
  handler.onControl = () => {
    told += 1;
    return 0;
  };
  peer.socket.write(Buffer.concat([clientFrame(PONG, Buffer.from("x")), clientFrame(PING, Buffer.from("one"))]));
  expect(await peer.bytesOnceThereAre(5)).toEqual(pongOf("one"));
  expect(told).toBe(2);
});

test("while it rests a socket is not read from, and of the pings that came meanwhile the last is answered", async () => {
  const { peer, handler, webSocket } = await server.rawPair();
  let told = 0;
  handler.onControl = () => {
    told += 1;
    return 20;
  };
  const pings = Array.from({ length: 1_000 }, (_, index) => clientFrame(PING, Buffer.from(`${1_000 + index}`)));
  peer.socket.write(Buffer.concat(pings));
  await once(webSocket, "ping");
  expect(webSocket.isPaused).toBe(true);
  while (told < 1_000) await turn();
  // The first one before there was a rest, the last one after it.
  expect(await peer.bytesOnceThereAre(12)).toEqual(Buffer.concat([pongOf("1000"), pongOf("1999")]));
  expect(webSocket.isPaused).toBe(false);
});

test("a rest and a full inbox both keep a socket from being read", async () => {
  const { peer, handler, webSocket } = await server.rawPair();
  let release = () => {};
  handler.onControl = () => 1;
  handler.onReceive = () =>
    new Promise<void>((resolve) => {
      release = resolve;
    });
  const text = clientFrame(TEXT, Buffer.from("x"));
  peer.socket.write(Buffer.concat([...Array(65).fill(text), clientFrame(PING, Buffer.from("p"))]));
  expect(await peer.bytesOnceThereAre(3)).toEqual(pongOf("p"));
  for (let turns = 0; turns < 200; turns += 1) await turn();
  expect(webSocket.isPaused).toBe(true);
  while (handler.received.length < 65) {
    release();
    await turn();
  }
  release();
  while (webSocket.isPaused) await turn();
});

test("who sends pings and reads no pong is closed as any slow reader", async () => {
  const { peer, connection } = await server.rawPair();
  peer.socket.pause();
  const pings = Buffer.concat(Array(2_000).fill(clientFrame(PING, Buffer.alloc(125))));
  while (connection.state === "open") {
    peer.socket.write(pings);
    await turn();
  }
  expect(server.transport.counters.slowReaders).toBe(1);
});

test("who goes on sending in place of a close frame is cut", async () => {
  const { peer, connection, handler } = await server.rawPair();
  connection.close("policyViolation");
  const texts = Buffer.concat(Array(11_000).fill(clientFrame(TEXT, Buffer.from("x"))));
  peer.socket.on("error", () => {});
  peer.socket.write(texts);
  const received = () => server.transport.counters.framesReceived;
  await handler.whenClosed;
  expect(received()).toBeGreaterThan(10_000);
  expect(handler.received).toEqual([]);
});
