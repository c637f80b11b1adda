import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CLOSE_DEADLINE } from "../../server/transport/connection.ts";
import { Heartbeat } from "../../server/transport/heartbeat.ts";
import { clientFrame, LoopbackServer, turn } from "./loopback.ts";

const PING_SECONDS = 5;
const PERIOD = PING_SECONDS * 1_000;

let server: LoopbackServer;
beforeEach(async () => {
  server = await LoopbackServer.start({ maxWaitingFrames: 1 });
});
afterEach(async () => {
  vi.useRealTimers();
  await server.stop();
});

function startHeartbeat(): Heartbeat {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
  const { connections, now } = server.transport;
  return new Heartbeat({ connections, pingSeconds: PING_SECONDS, now });
}

describe("the heartbeat", () => {
  test("pings each connection once a period, evenly over its seconds, until it is stopped", async () => {
    const pairs = await Promise.all(Array.from({ length: 15 }, () => server.rawPair()));
    const pings = pairs.map(({ webSocket }) => vi.spyOn(webSocket, "ping"));
    const heartbeat = startHeartbeat();
    let before = 0;
    for (let second = 1; second <= PING_SECONDS; second++) {
      vi.advanceTimersByTime(1_000);
      const sum = pings.reduce((total, ping) => total + ping.mock.calls.length, 0);
      expect(sum - before).toBe(3);
      before = sum;
    }
    for (const ping of pings) expect(ping).toHaveBeenCalledTimes(1);
    for (const { peer } of pairs) expect((await peer.bytesOnceThereAre(2)).toString("hex")).toBe("8900");
    heartbeat.stop();
    vi.advanceTimersByTime(PERIOD);
    for (const ping of pings) expect(ping).toHaveBeenCalledTimes(1);
  });

  test("cuts a peer that left two pings unanswered, a period after the second", async () => {
    const { handler, socket, webSocket } = await server.rawPair();
    const ping = vi.spyOn(webSocket, "ping");
    const heartbeat = startHeartbeat();
    // The first period's ping finds the bytes of the handshake.
    vi.advanceTimersByTime(2 * PERIOD);
    expect(ping).toHaveBeenCalledTimes(2);
    expect(socket.destroyed).toBe(false);
    vi.advanceTimersByTime(PERIOD);
    expect(ping).toHaveBeenCalledTimes(2);
    expect(socket.destroyed).toBe(true);
    await handler.whenClosed;
    expect(handler.closes).toEqual([{ code: 1006, reason: "" }]);
    expect(server.transport.counters.silentPeers).toBe(1);
    heartbeat.stop();
  });

  test("keeps a peer that answers", async () => {
    const { connection, webSocket } = await server.openPair();
    const heartbeat = startHeartbeat();
    for (let period = 0; period < 6; period++) {
      const pong = once(webSocket, "pong");
      vi.advanceTimersByTime(PERIOD);
      await pong;
    }
    expect(connection.state).toBe("open");
    heartbeat.stop();
  });

  test("takes any bytes for an answer, also part of a frame", async () => {
    const { connection, handler, peer, socket } = await server.rawPair();
    const heartbeat = startHeartbeat();
    const frame = clientFrame(0x81, Buffer.from("slow line"));
    for (const byte of frame) {
      vi.advanceTimersByTime(PERIOD);
      const { bytesRead } = socket;
      peer.socket.write(Buffer.from([byte]));
      while (socket.bytesRead === bytesRead) await turn();
    }
    expect(handler.received).toEqual(["slow line"]);
    expect(connection.state).toBe("open");
    heartbeat.stop();
  });

  test("does not take our own pause for silence", async () => {
    const { connection, handler, peer, socket, webSocket } = await server.rawPair();
    handler.onReceive = () => new Promise(() => {});
    const frame = clientFrame(0x81, Buffer.from("a"));
    peer.socket.write(Buffer.concat([frame, frame]));
    while (!webSocket.isPaused) await once(webSocket, "message");
    const heartbeat = startHeartbeat();
    vi.advanceTimersByTime(10 * PERIOD);
    expect(socket.destroyed).toBe(false);
    expect(connection.state).toBe("open");
    heartbeat.stop();
  });

  test("closes with 4401 within a second of a token's end, and no other", async () => {
    const forever = await server.openPair();
    server.expiresAt = server.clock.now + 60_000;
    const expiring = await server.openPair();
    server.expiresAt = server.clock.now + 61_001;
    const later = await server.openPair();
    const heartbeat = startHeartbeat();
    server.clock.now += 59_999;
    vi.advanceTimersByTime(1_000);
    expect(expiring.connection.state).toBe("open");
    server.clock.now += 1_000;
    vi.advanceTimersByTime(1_000);
    expect(await expiring.client.closed).toEqual({ code: 4401, reason: "token expired" });
    expect(later.connection.state).toBe("open");
    expect(forever.connection.state).toBe("open");
    heartbeat.stop();
  });
});

describe("closing all", () => {
  test("resolves when the last one is gone", async () => {
    const open = await server.openPair();
    const opening = await server.openingPair();
    const handlers = [open.handler, opening.handler];
    await server.transport.connections.closeAll("restarting");
    expect(handlers.map(({ closes }) => closes.map(({ code }) => code))).toEqual([[1012], [1012]]);
    expect(server.transport.connections.size).toBe(0);
    expect(await open.client.closed).toMatchObject({ code: 1012 });
    expect(await opening.client.closed).toMatchObject({ code: 1012 });
  });

  test("resolves without any", async () => {
    await server.transport.connections.closeAll("goingAway");
    expect(server.transport.connections.size).toBe(0);
  });

  test("includes who comes afterwards", async () => {
    await server.transport.connections.closeAll("goingAway");
    const late = await server.openingPair();
    expect(await late.client.closed).toMatchObject({ code: 1001 });
    await late.handler.whenClosed;
  });

  test("waits for a peer that does not answer no longer than the deadline", async () => {
    const { handler } = await server.rawPair();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const first = server.transport.connections.closeAll("goingAway");
    const second = server.transport.connections.closeAll("goingAway");
    await turn();
    expect(handler.closes).toEqual([]);
    vi.advanceTimersByTime(CLOSE_DEADLINE);
    await Promise.all([first, second]);
    expect(handler.closes).toHaveLength(1);
  });
});
