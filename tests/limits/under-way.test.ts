/** How much of one socket is under way: counted while storage is made to wait. */
import { setImmediate as turn } from "node:timers/promises";
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openPglite } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import type { Store } from "../../server/core/store.ts";
import { Communicator } from "../support/communicator.ts";
import { interceptedStore, startNodeOn, type TestNode, tokenFor } from "../support/stack.ts";

const SENT = 300;

/** What the node counts, at every moment: GET /metrics says it once a second. */
const counted = vi.hoisted(() => ({ work: { commandsUnderWay: 0 } }));

vi.mock(import("../../server/metrics.ts"), async (importOriginal) => {
  const original = await importOriginal();
  return {
    ...original,
    createMetrics: (parts) => {
      counted.work = parts.work;
      return original.createMetrics(parts);
    },
  };
});

/** Makes chosen methods of the store wait, and counts how many calls of each do, now and at most. */
class Dam {
  readonly waiting = new Map<keyof Store, number>();
  #held: ReadonlySet<keyof Store> = new Set();
  #open: () => void = () => {};
  #opened: Promise<void> = Promise.resolve();

  readonly before = async (method: keyof Store): Promise<void> => {
    if (!this.#held.has(method)) return;
    this.waiting.set(method, (this.waiting.get(method) ?? 0) + 1);
    await this.#opened;
  };

  hold(...methods: (keyof Store)[]): void {
    this.#held = new Set(methods);
    this.waiting.clear();
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  release(): void {
    this.#held = new Set();
    this.#open();
  }
}

describe("one socket", () => {
  const dam = new Dam();
  let node: TestNode;
  beforeAll(async () => {
    const store = createStore(await openPglite(null), newId);
    const settings = { COMMAND_BURST: "100000", SEND_BURST: "100000" };
    node = await startNodeOn(interceptedStore(store, dam.before), new MemoryBroker().join(), settings);
  });
  afterAll(async () => {
    dam.release();
    await node?.server.close();
  });

  async function connect(name: string, path: string): Promise<Communicator> {
    const socket = await Communicator.connect(`${node.sockets}${path}`, await tokenFor(name));
    socket.send(path.startsWith("/ws/") ? { type: "ping" } : { event: "ping" });
    for (;;) {
      const { type, event } = await socket.receive();
      if (type === "pong" || event === "pong") return socket;
    }
  }

  const underWay = () => counted.work.commandsUnderWay;

  /** It has as many under way as it may, and however often it is looked at, no more. */
  async function expectFull(count: number): Promise<void> {
    while (underWay() < count) await turn();
    for (let turns = 0; turns < 200; turns += 1) {
      expect(underWay()).toBe(count);
      await turn();
    }
  }

  test.each<[string, string, object, keyof Store]>([
    ["reads", "/ws/ann/", { type: "read_messages", client_id: "c" }, "amend"],
    ["messages", "/ws/ann/", { type: "chat_message", message: "x", client_id: "c" }, "send"],
    ["reads of events", "/chat", { event: "chat:message_read", id: 1, data: { messageId: "m" } }, "amend"],
    [
      "questions for a status",
      "/chat",
      { event: "user:get_status", id: 1, data: { userId: "nobody" } },
      "hasShownThemselves",
    ],
  ])("[LIMIT-17] has 64 commands under way at most, acknowledged or not: %s", async (_what, path, frame, method) => {
    const socket = await connect("ann", path);
    dam.hold(method);
    for (let sent = 0; sent < SENT; sent += 1) socket.send(frame);
    await expectFull(64);
    dam.release();
    for (let answers = 0; answers < SENT; ) {
      const { type, event } = await socket.receive();
      if (["ack", "error"].includes(type ?? event) || type === "chat_message") answers += 1;
    }
    expect(underWay()).toBe(0);
    await socket.close();
  });

  test("of many, asked the same by one user, ask storage once; of others, two at a time", async () => {
    const first = await connect("cat", "/chat");
    const second = await connect("cat", "/chat");
    const about = (userId: string) => ({ event: "user:get_status", id: 1, data: { userId } });
    dam.hold("hasShownThemselves");
    for (let sent = 0; sent < 60; sent += 1) {
      for (const socket of [first, second]) socket.send(about(["ann", "ben", "x", "y", "z"][sent % 5] ?? ""));
    }
    await expectFull(120);
    expect(dam.waiting.get("hasShownThemselves")).toBe(2);
    dam.release();
    for (const socket of [first, second]) {
      for (const answer of await socket.receiveMany(60)) expect(answer.data.code).toBe("forbidden");
      await socket.close();
    }
  });

  test("[LIMIT-17] has one read under way for each thing to read, however often it asks", async () => {
    const socket = await connect("ben", "/ws/ben/");
    dam.hold("amend");
    for (let sent = 0; sent < SENT; sent += 1) socket.send({ type: "read_messages", client_id: "c" });
    await expectFull(64);
    dam.release();
    for (const frame of await socket.receiveMany(SENT)) expect(frame).toEqual({ type: "ack", client_id: "c" });
    // Of three hundred, in groups of 64 that share the one that waits.
    expect(dam.waiting.get("amend")).toBeLessThanOrEqual(10);
    await socket.close();
  });
});
