import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sayFarewell } from "../../server/transport/farewell.ts";
import { encodeTextFrame } from "../../server/transport/frame.ts";
import { LoopbackServer } from "../transport/loopback.ts";

describe("a server's farewell to its sockets", () => {
  let server: LoopbackServer;
  beforeEach(async () => {
    server = await LoopbackServer.start();
  });
  afterEach(() => server.stop());

  function pairs(count: number) {
    return Promise.all(Array.from({ length: count }, () => server.openPair()));
  }

  const open = () => [...server.transport.connections].filter(({ state }) => state === "open").length;

  test("[CLOSE-1] comes in even lots over its time, with 1012", async () => {
    const all = await pairs(40);
    // How many were left open by each lot.
    const left: number[] = [];
    await sayFarewell({
      connections: server.transport.connections,
      duration: 200,
      settled: async () => void left.push(open()),
    });
    expect(left).toEqual([30, 20, 10, 0]);
    for (const { client } of all) expect((await client.closed).code).toBe(1012);
    expect(server.transport.connections.size).toBe(0);
  });

  test("takes no longer than its lots need where there are few sockets", async () => {
    await pairs(11);
    const left: number[] = [];
    await sayFarewell({
      connections: server.transport.connections,
      duration: 3_600_000,
      settled: async () => void left.push(open()),
    });
    expect(left).toEqual([6, 1, 0]);
  });

  test("comes to all at once where it is given no time, and to those who come during it", async () => {
    await pairs(40);
    const left: number[] = [];
    let newcomer: Awaited<ReturnType<LoopbackServer["openPair"]>> | undefined;
    await sayFarewell({
      connections: server.transport.connections,
      duration: 0,
      settled: async () => {
        left.push(open());
        newcomer = await server.openPair();
      },
    });
    expect(left).toEqual([0]);
    expect((await newcomer?.client.closed)?.code).toBe(1012);
  });

  // `arrived`: the answer to a ping comes when what was sent before it has been read.
  test("waits for the frames that came, and hands over no other", async () => {
    const { handler, client } = await server.openPair();
    let finish = () => {};
    handler.onReceive = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    const arrived = () => new Promise((resolve) => client.webSocket.once("pong", resolve).ping());
    client.webSocket.send("in hand");
    client.webSocket.send("waiting");
    await arrived();
    let isSettled = false;
    const gone = sayFarewell({
      connections: server.transport.connections,
      duration: 0,
      settled: async () => {
        isSettled = true;
      },
    });
    client.webSocket.send("late");
    await arrived();
    expect(handler.received).toEqual(["in hand"]);
    finish();
    await expect.poll(() => handler.received).toEqual(["in hand", "waiting"]);
    expect(isSettled).toBe(false);
    finish();
    await gone;
    expect((await client.closed).code).toBe(1012);
    expect(handler.received).toEqual(["in hand", "waiting"]);
  });

  test("does not wait for a frame whose socket is gone", async () => {
    const { handler, client } = await server.openPair();
    handler.onReceive = () => new Promise(() => {});
    client.webSocket.send("never answered");
    await expect.poll(() => handler.received).toHaveLength(1);
    let isSettled = false;
    const gone = sayFarewell({
      connections: server.transport.connections,
      duration: 0,
      settled: async () => {
        isSettled = true;
      },
    });
    client.webSocket.terminate();
    await gone;
    expect(isSettled).toBe(true);
  });

  test("sends what is still told before the close frame", async () => {
    const { connection, client } = await server.openPair();
    await sayFarewell({
      connections: server.transport.connections,
      duration: 0,
      settled: async () => connection.send(encodeTextFrame("stored")),
    });
    await client.closed;
    expect(client.frames).toEqual(["stored"]);
  });
});
