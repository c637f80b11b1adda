import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Accepted, LoopbackServer, type RecordingHandler, turn } from "./loopback.ts";

let server: LoopbackServer;
beforeEach(async () => {
  server = await LoopbackServer.start({ maxWaitingFrames: 8 });
});
afterEach(() => server.stop());

async function receivedBy(accepted: Accepted, count: number): Promise<void> {
  while (server.transport.counters.framesReceived < count) await once(accepted.webSocket, "message");
}

/** The consumer holds each frame until `release`. */
function holdFrames(handler: RecordingHandler): { release: () => void } {
  let release: () => void = () => {};
  handler.onReceive = () =>
    new Promise<void>((resolve) => {
      release = resolve;
    });
  return { release: () => release() };
}

describe("what is received", () => {
  test("waits while the consumer is opening, then comes in order", async () => {
    const { client, ...accepted } = await server.openingPair();
    for (const text of ["1", "2", "3"]) client.webSocket.send(text);
    await receivedBy(accepted, 3);
    expect(accepted.handler.received).toEqual([]);
    accepted.connection.opened();
    expect(accepted.handler.received).toEqual(["1", "2", "3"]);
  });

  test("comes one after another: the next when the promise of the one before has settled", async () => {
    const { client, ...accepted } = await server.openPair();
    const held = holdFrames(accepted.handler);
    for (const text of ["1", "2", "3"]) client.webSocket.send(text);
    await receivedBy(accepted, 3);
    expect(accepted.handler.received).toEqual(["1"]);
    held.release();
    await turn();
    expect(accepted.handler.received).toEqual(["1", "2"]);
    client.webSocket.send("4");
    await receivedBy(accepted, 4);
    held.release();
    await turn();
    expect(accepted.handler.received).toEqual(["1", "2", "3"]);
    held.release();
    await turn();
    expect(accepted.handler.received).toEqual(["1", "2", "3", "4"]);
  });

  test("keeps its order where quick and slow frames alternate", async () => {
    const { client, handler } = await server.openPair();
    const texts = Array.from({ length: 100 }, (_, i) => String(i));
    const finished: string[] = [];
    const all = new Promise<void>((resolve) => {
      handler.onReceive = (text) => {
        const finish = () => {
          finished.push(text);
          if (finished.length === texts.length) resolve();
        };
        return Number(text) % 3 === 0 ? turn().then(finish) : finish();
      };
    });
    for (const text of texts) client.webSocket.send(text);
    await all;
    expect(handler.received).toEqual(texts);
    expect(finished).toEqual(texts);
  });

  test("is named binary where it is", async () => {
    const { client, ...accepted } = await server.openPair();
    client.webSocket.send("text");
    client.webSocket.send(Buffer.from("bytes"));
    client.webSocket.send(Buffer.from("text again"), { binary: false });
    await receivedBy(accepted, 3);
    expect(accepted.handler.received).toEqual(["text", "<binary>", "text again"]);
  });
});

describe("a flood", () => {
  /** Watches how many frames wait behind the one in hand. */
  function watchWaiting({ webSocket, handler }: Accepted): { most: number } {
    const watched = { most: 0 };
    webSocket.on("message", () => {
      watched.most = Math.max(watched.most, server.transport.counters.framesReceived - handler.received.length);
    });
    return watched;
  }

  test("is held back by TCP: no more wait than the bound", async () => {
    const { client, ...accepted } = await server.openPair();
    const waiting = watchWaiting(accepted);
    // One read brings 64 KiB at most, so no more than the end of one of these.
    const count = 400;
    const text = "x".repeat(65_530);
    const held = holdFrames(accepted.handler);
    for (let i = 0; i < count; i++) client.webSocket.send(`${i} ${text}`.slice(0, 65_536));
    while (!accepted.webSocket.isPaused) await once(accepted.webSocket, "message");
    // Far more than the buffers of both kernels hold are still with the client, and stay there.
    for (let i = 0; i < 100; i++) await turn();
    expect(client.webSocket.bufferedAmount).toBeGreaterThan(1_048_576);
    expect(server.transport.counters.framesReceived).toBe(1 + 8);
    while (accepted.handler.received.length < count) {
      held.release();
      await turn();
    }
    expect(accepted.handler.received.map((received) => Number(received.split(" ")[0]))).toEqual(
      Array.from({ length: count }, (_, i) => i),
    );
    expect(waiting.most).toBe(8);
  });

  test("is bounded in bytes as well as in number", async () => {
    const narrow = await LoopbackServer.start({ maxWaitingFrames: 1_000, maxWaitingBytes: 100_000 });
    const { client, webSocket, handler } = await narrow.openPair();
    const held = holdFrames(handler);
    for (let i = 0; i < 100; i++) client.webSocket.send("x".repeat(60_000));
    while (!webSocket.isPaused) await once(webSocket, "message");
    for (let i = 0; i < 100; i++) await turn();
    // One in hand, two that wait.
    expect(narrow.transport.counters.framesReceived).toBe(3);
    while (handler.received.length < 100) {
      held.release();
      await turn();
    }
    await narrow.stop();
  });

  test("of small frames is held back too, after the read that brought the one too many", async () => {
    const { client, ...accepted } = await server.openPair();
    const waiting = watchWaiting(accepted);
    const count = 60_000;
    accepted.handler.onReceive = () => Promise.resolve();
    const framesInOneRead = Math.ceil(65_536 / (6 + 5));
    for (let i = 0; i < count; i++) client.webSocket.send(String(10_000 + i));
    await receivedBy(accepted, count);
    while (accepted.handler.received.length < count) await turn();
    expect(accepted.handler.received).toEqual(Array.from({ length: count }, (_, i) => String(10_000 + i)));
    expect(waiting.most).toBeGreaterThan(8);
    expect(waiting.most).toBeLessThanOrEqual(8 + framesInOneRead);
    expect(accepted.webSocket.isPaused).toBe(false);
  });

  test("before the consumer has opened is held back, and handed over when it has", async () => {
    const { client, ...accepted } = await server.openingPair();
    for (let i = 0; i < 20; i++) client.webSocket.send(String(i));
    await receivedBy(accepted, 8);
    expect(accepted.webSocket.isPaused).toBe(true);
    accepted.connection.opened();
    await receivedBy(accepted, 20);
    expect(accepted.handler.received).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
    expect(accepted.webSocket.isPaused).toBe(false);
  });
});
