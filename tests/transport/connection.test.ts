import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CLOSE_DEADLINE } from "../../server/transport/connection.ts";
import { encodeTextFrame } from "../../server/transport/frame.ts";
import { TAKING_DEADLINE } from "../../server/transport/in-turn.ts";
import { type Accepted, type Client, clientFrame, LoopbackServer, turn } from "./loopback.ts";

const MAX_BUFFERED_BYTES = 262_144;
const a = encodeTextFrame("a");
const b = encodeTextFrame("b");

let server: LoopbackServer;
beforeEach(async () => {
  server = await LoopbackServer.start({ maxBufferedBytes: MAX_BUFFERED_BYTES, maxWaitingFrames: 4 });
});
afterEach(async () => {
  vi.useRealTimers();
  await server.stop();
});

function fakeTimeouts(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
}

describe("closing", () => {
  test("sends what is due first, then the code and its reason", async () => {
    const { connection, handler, client } = await server.openPair();
    connection.send(a);
    connection.send(b);
    connection.close("notAMember");
    expect(connection.state).toBe("closing");
    expect(await client.closed).toEqual({ code: 4403, reason: "no longer a member" });
    expect(client.frames).toEqual(["a", "b"]);
    await handler.whenClosed;
    expect(handler.closes).toEqual([{ code: 4403, reason: "no longer a member" }]);
    expect(connection.state).toBe("closed");
  });

  test("happens once: later calls, frames and bad frames change nothing", async () => {
    const { connection, handler, client } = await server.openPair();
    fakeTimeouts();
    connection.close("noSuchRoom", "gone");
    connection.close("internal");
    connection.send(a);
    connection.flush();
    connection.opened();
    expect(await client.closed).toEqual({ code: 4404, reason: "gone" });
    await handler.whenClosed;
    connection.close("internal");
    connection.send(a);
    connection.ping();
    await turn();
    expect(client.frames).toEqual([]);
    expect(handler.closes).toHaveLength(1);
    expect(server.transport.counters.framesSent).toBe(0);
    expect(server.transport.connections.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("an opening connection works as well, and hands over nothing of what waited", async () => {
    const { connection, handler, client, webSocket } = await server.openingPair();
    client.webSocket.send("waits");
    await once(webSocket, "message");
    connection.send(a);
    connection.close("unavailable");
    connection.opened();
    expect(await client.closed).toMatchObject({ code: 1013 });
    await handler.whenClosed;
    expect(client.frames).toEqual(["a"]);
    expect(handler.received).toEqual([]);
  });

  test("while reading is paused still hears the answer, and drops the frames before it", async () => {
    const { connection, handler, client, webSocket } = await server.openPair();
    handler.onReceive = () => new Promise(() => {});
    for (let i = 0; i < 100; i++) client.webSocket.send(String(i));
    while (!webSocket.isPaused) await once(webSocket, "message");
    // The deadline must not be what ends it.
    fakeTimeouts();
    connection.close("restarting");
    expect(await client.closed).toMatchObject({ code: 1012 });
    await handler.whenClosed;
    expect(handler.closes).toEqual([expect.objectContaining({ code: 1012 })]);
    expect(handler.received).toEqual(["0"]);
  });

  test("cuts a peer that does not answer when the deadline has passed", async () => {
    const { connection, handler, socket } = await server.rawPair();
    fakeTimeouts();
    connection.close("internal");
    vi.advanceTimersByTime(CLOSE_DEADLINE - 1);
    expect(socket.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(socket.destroyed).toBe(true);
    await handler.whenClosed;
    expect(handler.closes).toEqual([{ code: 1006, reason: "" }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("by the peer is answered, and nothing is sent behind the answer", async () => {
    const { connection, handler, peer, webSocket } = await server.rawPair();
    peer.socket.write(clientFrame(0x88, Buffer.from([0x0f, 0xa0])));
    while (webSocket.readyState === webSocket.OPEN) await turn();
    connection.send(a);
    await turn();
    await handler.whenClosed;
    expect(handler.closes).toEqual([{ code: 4000, reason: "" }]);
    expect(server.transport.counters.framesSent).toBe(0);
    expect(peer.bytes.toString("hex")).toBe("88020fa0");
  });

  test("by a reset is told once, also with frames on their way", async () => {
    const { connection, handler, peer } = await server.rawPair();
    connection.send(encodeTextFrame("x".repeat(200_000)));
    peer.socket.resetAndDestroy();
    connection.send(a);
    await handler.whenClosed;
    connection.send(b);
    await turn();
    expect(handler.closes).toEqual([{ code: 1006, reason: "" }]);
  });
});

describe("a slow reader", () => {
  /** Sends until the connection gives up; whoever reads is never closed by it. */
  async function sendUntilClosing(connection: { state: string; send(frame: Buffer): void }): Promise<void> {
    const frame = encodeTextFrame("x".repeat(50_000));
    while (connection.state === "open") {
      connection.send(frame);
      await turn();
    }
  }

  test("is closed with 4408 over the bound and cut at the deadline; nothing more is queued", async () => {
    const { connection, handler, client, socket } = await server.openPair();
    client.webSocket.pause();
    fakeTimeouts();
    await sendUntilClosing(connection);
    expect(connection.state).toBe("closing");
    expect(server.transport.counters.slowReaders).toBe(1);
    const closeFrameLength = 2 + 2 + "too slow: unsent bytes over MAX_BUFFERED_BYTES".length;
    expect(socket.writableLength).toBeLessThanOrEqual(MAX_BUFFERED_BYTES + closeFrameLength);
    const { framesSent } = server.transport.counters;
    const unsent = socket.writableLength;
    connection.send(a);
    await turn();
    expect(socket.writableLength).toBe(unsent);
    vi.advanceTimersByTime(CLOSE_DEADLINE);
    expect(socket.destroyed).toBe(true);
    await handler.whenClosed;
    expect(server.transport.counters.framesSent).toBe(framesSent);
    expect(handler.closes).toEqual([{ code: 1006, reason: "" }]);
  });

  test("that reads on in time gets whole frames, then the code", async () => {
    const { connection, handler, client } = await server.openPair();
    client.webSocket.pause();
    await sendUntilClosing(connection);
    client.webSocket.resume();
    expect(await client.closed).toMatchObject({ code: 4408 });
    await handler.whenClosed;
    expect(client.frames).toHaveLength(server.transport.counters.framesSent);
    expect(new Set(client.frames)).toEqual(new Set(["x".repeat(50_000)]));
    expect(handler.closes).toEqual([expect.objectContaining({ code: 4408 })]);
  });

  test("is not one who owes nothing: a single frame may be of any size", async () => {
    const { connection, client } = await server.openPair();
    connection.send(encodeTextFrame("x".repeat(10 * MAX_BUFFERED_BYTES)));
    expect(connection.state).toBe("open");
    expect(await client.framesOnceThereAre(1)).toHaveLength(1);
  });

  test("owes more than the bound, and is sent one frame more; at the bound it lives", async () => {
    const owing = async () => {
      const pair = await server.openPair();
      pair.client.webSocket.pause();
      // More than the kernels of both sides take.
      pair.connection.send(encodeTextFrame("x".repeat(100 * MAX_BUFFERED_BYTES)));
      pair.connection.flush();
      expect(pair.socket.writableLength).toBeGreaterThan(MAX_BUFFERED_BYTES);
      return pair;
    };
    const above = await owing();
    above.connection.send(a);
    expect(above.connection.state).toBe("closing");
    const exact = await server.openPair();
    exact.connection.send(a);
    exact.connection.send(encodeTextFrame("x".repeat(MAX_BUFFERED_BYTES - 10 - a.length)));
    expect(exact.connection.state).toBe("open");
    expect(await exact.client.framesOnceThereAre(2)).toHaveLength(2);
  });

  test("is not one who was sent more than the bound in one turn and takes it", async () => {
    const { connection, client, socket } = await server.openPair();
    connection.send(a);
    connection.send(encodeTextFrame("x".repeat(MAX_BUFFERED_BYTES - 10)));
    // What is due goes to the kernel before the bound is held against the peer: the first frame has left, in a write of
    // its own.
    expect(socket.bytesWritten).toBeGreaterThanOrEqual(a.length);
    expect(connection.state).toBe("open");
    expect(await client.framesOnceThereAre(2)).toHaveLength(2);
  });

  /** Sends in turn until one frame is not taken. Resolves with how many that were, and with what the last one awaits. */
  async function untilNotTaken({ connection, socket }: Accepted & { client: Client }, frame: Buffer) {
    for (let sent = 1; ; sent++) {
      const taken = connection.sendInTurn(frame);
      if (socket.writableNeedDrain) return { sent, taken };
      await taken;
    }
  }

  test.each([
    ["larger than the bound", MAX_BUFFERED_BYTES * 3],
    ["as large as the bound", MAX_BUFFERED_BYTES],
    ["of which some fit into it", MAX_BUFFERED_BYTES / 3],
    ["of which many do", MAX_BUFFERED_BYTES / 50],
  ])("[PAGE-2] need not be one: who sends in turn may send any amount, in frames %s", async (_what, size) => {
    const pair = await server.openPair();
    const { connection, client, socket } = pair;
    const frame = encodeTextFrame("x".repeat(size));
    client.webSocket.pause();
    let { sent, taken } = await untilNotTaken(pair, frame);
    let isTaken = false;
    const noted = taken.then(() => {
      isTaken = true;
    });
    await turn();
    expect(isTaken).toBe(false);
    // What is said beside it is not held against the peer either.
    connection.send(encodeTextFrame("a pong, say"));
    client.webSocket.resume();
    await noted;
    for (const last = sent + 20; sent < last; sent++) expect(await connection.sendInTurn(frame)).toBe(true);
    expect(await client.framesOnceThereAre(sent + 1)).toHaveLength(sent + 1);
    expect(connection.state).toBe("open");
    expect(socket.listenerCount("drain")).toBe(0);
  });

  test("that goes away ends the wait for its turn", async () => {
    const pair = await server.openPair();
    const frame = encodeTextFrame("x".repeat(100_000));
    pair.client.webSocket.pause();
    const { taken } = await untilNotTaken(pair, frame);
    pair.client.webSocket.terminate();
    expect(await taken).toBe(false);
    expect(await pair.connection.sendInTurn(frame)).toBe(false);
  });

  test("[PAGE-2] that takes nothing of it for too long is closed as too slow", async () => {
    const pair = await server.openPair();
    pair.client.webSocket.pause();
    fakeTimeouts();
    const { taken } = await untilNotTaken(pair, encodeTextFrame("x".repeat(100_000)));
    vi.advanceTimersByTime(TAKING_DEADLINE);
    expect(await taken).toBe(false);
    expect(pair.connection.state).toBe("closing");
    expect(server.transport.counters.slowReaders).toBe(1);
  });
});

describe("what breaks", () => {
  const uncaught = vi.fn();
  beforeEach(() => {
    uncaught.mockClear();
    process.on("uncaughtExceptionMonitor", uncaught);
  });
  afterEach(() => {
    process.off("uncaughtExceptionMonitor", uncaught);
  });

  test.each([
    { what: "text that is not UTF-8", bytes: clientFrame(0x81, Buffer.from([0xc3, 0x28])), code: 1007 },
    {
      what: "a frame larger than the limit",
      bytes: Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0]),
      code: 1009,
    },
    { what: "a reserved bit", bytes: clientFrame(0xc1, Buffer.from("a")), code: 1002 },
    { what: "a reserved opcode", bytes: clientFrame(0x83, Buffer.from("a")), code: 1002 },
    { what: "an unmasked frame", bytes: Buffer.from([0x81, 0x01, 0x61]), code: 1002 },
  ])("$what: closed with $code, cut at the deadline, told once", async ({ bytes, code }) => {
    const { connection, handler, peer, socket, webSocket } = await server.rawPair();
    fakeTimeouts();
    peer.socket.write(Buffer.concat([bytes, clientFrame(0x81, Buffer.from("after"))]));
    await once(webSocket, "error");
    expect(connection.state).toBe("closing");
    connection.send(a);
    expect((await peer.bytesOnceThereAre(4)).toString("hex")).toBe(`8802${code.toString(16).padStart(4, "0")}`);
    vi.advanceTimersByTime(CLOSE_DEADLINE);
    expect(socket.destroyed).toBe(true);
    await handler.whenClosed;
    await turn();
    expect(handler.received).toEqual([]);
    expect(handler.closes).toEqual([{ code: 1006, reason: "" }]);
    expect(server.log.debug).toHaveBeenCalledWith(
      expect.objectContaining({ user: "alice", connection: connection.id, err: expect.any(Error) }),
      "socket failed",
    );
    expect(uncaught).not.toHaveBeenCalled();
  });

  test.each([
    {
      what: "throws",
      fail: () => {
        throw new Error("fault");
      },
    },
    { what: "rejects", fail: () => Promise.reject(new Error("fault")) },
  ])("a consumer that $what: logged, closed with 1011, given nothing more", async ({ fail }) => {
    const { connection, handler, client } = await server.openPair();
    handler.onReceive = fail;
    client.webSocket.send("1");
    client.webSocket.send("2");
    expect(await client.closed).toEqual({ code: 1011, reason: "internal error" });
    await handler.whenClosed;
    expect(handler.received).toEqual(["1"]);
    expect(handler.closes).toHaveLength(1);
    expect(server.log.error).toHaveBeenCalledExactlyOnceWith(
      { user: "alice", connection: connection.id, err: new Error("fault") },
      "the consumer of a socket failed",
    );
    expect(uncaught).not.toHaveBeenCalled();
  });

  test.each([
    {
      what: "throws",
      fail: () => {
        throw new Error("fault");
      },
    },
    { what: "rejects", fail: () => Promise.reject(new Error("fault")) },
  ])("a consumer that $what when told of the end: logged, and the others go on", async ({ fail }) => {
    const { handler, client } = await server.openPair();
    handler.closed = fail;
    const logged = new Promise((resolve) => server.log.error.mockImplementation(resolve));
    client.webSocket.close();
    await logged;
    const other = await server.openPair();
    other.connection.send(a);
    expect(await other.client.framesOnceThereAre(1)).toEqual(["a"]);
    expect(server.transport.connections.size).toBe(1);
    expect(uncaught).not.toHaveBeenCalled();
  });

  test("the socket, while the consumer is at work: told at once, and what waited is dropped", async () => {
    const { handler, client, webSocket } = await server.openPair();
    let finish: () => void = () => {};
    handler.onReceive = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    client.webSocket.send("1");
    client.webSocket.send("2");
    while (server.transport.counters.framesReceived < 2) await once(webSocket, "message");
    client.webSocket.terminate();
    await handler.whenClosed;
    finish();
    await turn();
    expect(handler.received).toEqual(["1"]);
    expect(handler.closes).toHaveLength(1);
  });
});

describe("bad frames", () => {
  test("close the socket with 1008 at the 20th within 10 s", async () => {
    const { connection, client } = await server.openPair();
    for (let i = 0; i < 19; i++) {
      connection.reportBadFrame();
      server.clock.now += 500;
    }
    expect(connection.state).toBe("open");
    connection.reportBadFrame();
    expect(await client.closed).toEqual({ code: 1008, reason: "too many bad frames" });
  });

  test("over a longer time do not, however many", async () => {
    const { connection } = await server.openPair();
    for (let i = 0; i < 200; i++) {
      connection.reportBadFrame();
      server.clock.now += 11_000 / 20;
    }
    expect(connection.state).toBe("open");
  });

  test("count in any 10 s, not in those since the first", async () => {
    const { connection } = await server.openPair();
    connection.reportBadFrame();
    server.clock.now += 9_999;
    for (let i = 0; i < 18; i++) connection.reportBadFrame();
    server.clock.now += 2;
    connection.reportBadFrame();
    expect(connection.state).toBe("open");
    connection.reportBadFrame();
    expect(connection.state).toBe("closing");
  });
});
