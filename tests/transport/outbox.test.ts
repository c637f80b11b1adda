import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { encodeTextFrame } from "../../server/transport/frame.ts";
import { Batch } from "../../server/transport/outbox.ts";
import { type Accepted, LoopbackServer, turn } from "./loopback.ts";

const a = encodeTextFrame("a");
const b = encodeTextFrame("b");
const c = encodeTextFrame("c");

describe("a batch", () => {
  test("is the same for the same frames in the same order, and so are its bytes", () => {
    const empty = Batch.empty();
    const first = empty.append(a).append(b).append(c);
    const second = empty.append(a).append(b).append(c);
    expect(second).toBe(first);
    expect(second.bytes()).toBe(first.bytes());
    expect(first.bytes()).toEqual(Buffer.concat([a, b, c]));
    expect(first).toMatchObject({ frameCount: 3, byteLength: a.length + b.length + c.length });
  });

  test("hands on a single frame without copying it", () => {
    expect(Batch.empty().append(a).bytes()).toBe(a);
  });

  test("is right for each of several orders, whatever was appended in between", () => {
    const empty = Batch.empty();
    const withA = empty.append(a);
    const ab = withA.append(b);
    const ac = withA.append(c);
    const ba = empty.append(b).append(a);
    const abc = ab.append(c);
    expect(ab.bytes()).toEqual(Buffer.concat([a, b]));
    expect(ac.bytes()).toEqual(Buffer.concat([a, c]));
    expect(ba.bytes()).toEqual(Buffer.concat([b, a]));
    expect(abc.bytes()).toEqual(Buffer.concat([a, b, c]));
    expect(empty.append(a).append(b).bytes()).toEqual(Buffer.concat([a, b]));
  });
});

describe("the outbox", () => {
  let server: LoopbackServer;
  beforeEach(async () => {
    server = await LoopbackServer.start();
  });
  afterEach(() => server.stop());

  function writesOf(accepted: Accepted): unknown[] {
    const written: unknown[] = [];
    const write = accepted.socket.write.bind(accepted.socket);
    vi.spyOn(accepted.socket, "write").mockImplementation((...args: unknown[]) => {
      written.push(args[0]);
      return Reflect.apply(write, accepted.socket, args);
    });
    return written;
  }

  test("writes the frames of one turn at once, also those of its ticks and continuations", async () => {
    const { client, ...accepted } = await server.openPair();
    const written = writesOf(accepted);
    await turn();
    accepted.connection.send(a);
    accepted.connection.send(b);
    await Promise.resolve();
    await new Promise((resolve) => process.nextTick(resolve));
    accepted.connection.send(c);
    expect(written).toEqual([]);
    await turn();
    expect(written).toEqual([Buffer.concat([a, b, c])]);
    expect(await client.framesOnceThereAre(3)).toEqual(["a", "b", "c"]);
    expect(server.transport.counters).toMatchObject({ framesSent: 3, bytesSent: 9, socketWrites: 1 });
  });

  test("starts anew after each flush, and holds on to no frame", async () => {
    const { client, ...accepted } = await server.openPair();
    const written = writesOf(accepted);
    const { empty } = server.transport.outbox;
    accepted.connection.send(a);
    await turn();
    expect(server.transport.outbox.empty).not.toBe(empty);
    accepted.connection.send(a);
    accepted.connection.send(b);
    await turn();
    expect(written).toEqual([a, Buffer.concat([a, b])]);
    expect(await client.framesOnceThereAre(3)).toEqual(["a", "a", "b"]);
  });

  test("gives sockets that are owed the same one Buffer, and the others their own", async () => {
    const room = await Promise.all(Array.from({ length: 20 }, () => server.openPair()));
    const other = await server.openPair();
    const written = room.map(writesOf);
    const otherWritten = writesOf(other);
    other.connection.send(c);
    for (const frame of [a, b]) for (const member of [...room, other]) member.connection.send(frame);
    await turn();
    const shared = written[0]?.[0];
    expect(shared).toEqual(Buffer.concat([a, b]));
    for (const buffers of written) {
      expect(buffers).toHaveLength(1);
      expect(buffers[0]).toBe(shared);
    }
    expect(otherWritten).toEqual([Buffer.concat([c, a, b])]);
    for (const member of room) expect(await member.client.framesOnceThereAre(2)).toEqual(["a", "b"]);
    expect(await other.client.framesOnceThereAre(3)).toEqual(["c", "a", "b"]);
  });

  test("and ws may write to one socket in turns: pings of both sides come between whole frames", async () => {
    const { client, connection, webSocket } = await server.openPair();
    const texts = Array.from({ length: 40 }, (_, i) => `${i} ${"é".repeat(i * 600)}`);
    let pongsAtClient = 0;
    let pongsAtServer = 0;
    let pingsAtClient = 0;
    client.webSocket.on("pong", () => pongsAtClient++);
    client.webSocket.on("ping", () => pingsAtClient++);
    webSocket.on("pong", () => pongsAtServer++);
    // What the client does not read piles up, so that the writes of both wait in the socket in their order.
    client.webSocket.pause();
    for (const [i, text] of texts.entries()) {
      connection.send(encodeTextFrame(text));
      client.webSocket.ping("from the client");
      webSocket.ping("from the server");
      connection.send(encodeTextFrame(`after ${i}`));
      if (i % 3 === 0) await turn();
    }
    client.webSocket.resume();
    const expected = texts.flatMap((text, i) => [text, `after ${i}`]);
    expect(await client.framesOnceThereAre(expected.length)).toEqual(expected);
    while (pongsAtClient < texts.length) await once(client.webSocket, "pong");
    while (pongsAtServer < texts.length) await once(webSocket, "pong");
    expect({ pongsAtClient, pongsAtServer, pingsAtClient }).toEqual({
      pongsAtClient: texts.length,
      pongsAtServer: texts.length,
      pingsAtClient: texts.length,
    });
  });
});
