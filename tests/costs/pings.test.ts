/** What a ping costs, counted: nothing but its answer. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { ChannelLayer } from "../../server/channel-layer/layer.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import type { Communicator, Frame } from "../support/communicator.ts";
import { introduce, openEmbedded, type Storage } from "../support/storage.ts";
import { CountedNode } from "./counted-node.ts";

const encoded = vi.hoisted((): string[] => []);

vi.mock(import("../../server/transport/frame.ts"), async (importOriginal) => {
  const original = await importOriginal();
  return {
    ...original,
    encodeTextFrame: (text) => {
      encoded.push(text);
      return original.encodeTextFrame(text);
    },
  };
});

/** Passes over what comes on connect. */
async function firstPong(socket: Communicator): Promise<Frame> {
  for (;;) {
    const frame = await socket.receive();
    if ([frame.type, frame.event].includes("pong")) return frame;
  }
}

describe("a ping", () => {
  /** Of the layer and its roster, in order: every method that was called. */
  const commands: string[] = [];
  let storage: Storage;
  let node: CountedNode;

  function recorded<Target extends object>(target: Target, more: Partial<Target> = {}): Target {
    return new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(name in more ? more : target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          commands.push(String(name));
          return value.apply(target, args);
        };
      },
    });
  }

  beforeAll(async () => {
    storage = await openEmbedded();
    const layer: ChannelLayer = new MemoryBroker().join();
    node = await CountedNode.start(storage.store, recorded(layer, { roster: recorded(layer.roster) }));
  });
  afterEach(() => node.disconnectAll());
  afterAll(async () => {
    await node?.close();
    await storage?.close();
  });

  test("[PING-3] asks neither storage nor the layer, and its answer was encoded before", async () => {
    const [alice, bob] = await introduce(storage.store, "alice", "bob");
    const asking: [Communicator, frame: object, pong: object][] = [];
    for (const path of [`/ws/${bob.username}/`, "/ws/notifications/", `/ws/notifications/${bob.username}/`]) {
      asking.push([await node.connect(alice, path), { type: "ping" }, { type: "pong" }]);
    }
    for (const path of ["/chat", "/rooms"]) {
      asking.push([await node.connect(alice, path), { event: "ping" }, { event: "pong", data: {} }]);
    }
    for (const [socket, frame, pong] of asking) {
      socket.send(frame);
      expect(await firstPong(socket)).toEqual(pong);
    }
    // All are open, and have said what they had to say.
    expect(node.calls).not.toEqual([]);
    expect(commands).not.toEqual([]);
    node.reset();
    commands.length = 0;
    encoded.length = 0;
    for (const [socket, frame, pong] of asking) {
      for (let sent = 0; sent < 10; sent += 1) socket.send(frame);
      expect(await socket.receiveMany(10)).toEqual(Array(10).fill(pong));
    }
    expect(node.calls).toEqual([]);
    expect(commands).toEqual([]);
    expect(encoded).toEqual([]);
  });
});
