/** What was begun when a server starts to stop is finished; what comes later is sent elsewhere. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { RawClient } from "../handshake/raw-client.ts";
import { Communicator } from "../support/communicator.ts";
import { interceptedStore, startNodeOn, type TestNode, tokenFor } from "../support/stack.ts";
import { openEmbedded, query, type Storage } from "../support/storage.ts";

describe("a server that stops", () => {
  let storage: Storage;
  let node: TestNode;
  /** What the next commits wait for. */
  let held = Promise.resolve();
  let proceed = () => {};
  /** Resolves when a commit waits. */
  let waiting = Promise.resolve();

  beforeEach(async () => {
    let wait = () => {};
    held = new Promise((resolve) => {
      proceed = resolve;
    });
    waiting = new Promise((resolve) => {
      wait = resolve;
    });
    storage = await openEmbedded();
    const store = interceptedStore(storage.store, (method) => {
      if (method !== "send") return undefined;
      wait();
      return held;
    });
    node = await startNodeOn({ ...store, close: async () => {} }, new MemoryBroker().join());
  });
  afterEach(async () => {
    proceed();
    await node?.server.close();
    await storage?.close();
  });

  async function ask(path: string): Promise<Response> {
    return fetch(`${node.http}${path}`, { headers: { authorization: `Bearer ${await tokenFor("alice")}` } });
  }

  function handshake(): Promise<number | undefined> {
    const socket = new WebSocket(`${node.sockets}/ws/alice/`);
    return new Promise((resolve, reject) => {
      socket.on("unexpected-response", (_request, response) => resolve(response.resume().statusCode));
      socket.on("error", reject);
    });
  }

  test("[CLOSE-1] [CLOSE-4] finishes the messages it has, refuses new sockets, and says that it is not ready", async () => {
    const [room, chat] = await Promise.all(
      ["/ws/alice/", "/chat"].map(async (path) =>
        Communicator.connect(`${node.sockets}${path}`, await tokenFor("alice")),
      ),
    );
    if (room === undefined || chat === undefined) throw new Error("two sockets");
    await room.receiveMany(2);
    room.send({ type: "chat_message", message: "in a room" });
    await waiting;
    chat.send({ event: "chat:message_send", data: { receiverId: "alice", content: "in chat" }, id: 7 });
    chat.send({ event: "ping", data: {}, id: 8 });
    await chat.receiveMany(1);

    const closed = node.server.close();
    room.send({ type: "chat_message", message: "too late" });
    expect(await handshake()).toBe(503);
    const ready = await ask("/readyz");
    expect([ready.status, await ready.json()]).toMatchObject([503, { status: "stopping", storage: "ok" }]);
    expect((await ask("/healthz")).status).toBe(200);
    expect((await ask("/api/me")).status).toBe(200);

    proceed();
    expect(await room.receive()).toMatchObject({ type: "chat_message", message: "in a room" });
    expect((await chat.receiveMany(3)).map(({ event }) => event).toSorted()).toEqual([
      "ack",
      "chat:message_receive",
      "chat:message_receive",
    ]);
    expect((await room.closed).code).toBe(1012);
    expect((await chat.closed).code).toBe(1012);
    await closed;
    expect((await storedTexts()).toSorted()).toEqual(["in a room", "in chat"]);
  });

  async function storedTexts(): Promise<string[]> {
    const rows = await query(storage, "select text from messages");
    return rows.map(({ text }) => String(text));
  }

  test("answers the requests it has, over HTTP", async () => {
    const answer = fetch(`${node.http}/api/rooms/alice/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${await tokenFor("alice")}`, "content-type": "application/json" },
      body: JSON.stringify({ message: "by HTTP" }),
    });
    await waiting;
    const closed = node.server.close();
    proceed();
    expect((await answer).status).toBe(201);
    await closed;
  });

  test("waits for nobody who asked nothing: a connection ahead of need, half a request, one that is kept", async () => {
    const { hostname, port } = new URL(node.http);
    const silent = connect(Number(port), hostname);
    const half = connect(Number(port), hostname);
    half.write("GET /healthz HTTP/1.1\r\nHost: here\r\n");
    const kept = await RawClient.connect(node);
    kept.request("/healthz");
    expect((await kept.answer()).status).toBe(200);
    if (silent.connecting) await once(silent, "connect");
    const ends = [silent, half, kept.socket].map((socket) => {
      socket.on("error", () => {});
      return once(socket.resume(), "close");
    });
    await node.server.close();
    await Promise.all(ends);
  });
});
