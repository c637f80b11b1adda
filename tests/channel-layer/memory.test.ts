import { expect, test, vi } from "vitest";
import type { ChannelLayer } from "../../server/channel-layer/layer.ts";
import { MemoryBroker, type MemoryChannelLayer } from "../../server/channel-layer/memory.ts";
import { describeLayer } from "./contract.ts";
import { eventually, hear } from "./nodes.ts";

describeLayer("memory", async () => {
  const broker = new MemoryBroker();
  const layers = new Map<ChannelLayer, MemoryChannelLayer>();
  return {
    join: async () => {
      const layer = broker.join();
      layers.set(layer, layer);
      return layer;
    },
    kill: (layer) => {
      const known = layers.get(layer);
      if (known === undefined) throw new Error("not a node of this test");
      broker.kill(known);
    },
    close: async () => {
      for (const layer of layers.values()) await layer.close();
    },
  };
});

test("a payload is made only when another node is subscribed", async () => {
  const broker = new MemoryBroker();
  const [a, b] = [broker.join(), broker.join()];
  await a.subscribe(["room"]);
  const payload = vi.fn(() => "text");
  a.publish("room", payload);
  expect(payload).not.toHaveBeenCalled();
  await b.subscribe(["room"]);
  a.publish("room", payload);
  expect(payload).toHaveBeenCalledOnce();
});

test("nothing is delivered before publish returns, and nothing to who has unsubscribed meanwhile", async () => {
  const broker = new MemoryBroker();
  const [a, b, c] = [broker.join(), broker.join(), broker.join()];
  const [heardByB, heardByC] = [hear(b), hear(c)];
  await Promise.all([b.subscribe(["room"]), c.subscribe(["room"])]);
  a.publish("room", () => "text");
  expect(heardByC.messages).toEqual([]);
  b.unsubscribe(["room"]);
  await eventually(() => expect(heardByC.messages).toHaveLength(1));
  expect(heardByB.messages).toEqual([]);
});

test("the version of a group does not go back though thousands of groups emptied since", async () => {
  const layer = new MemoryBroker().join();
  const visit = async (group: string) => {
    const { before } = await layer.roster.join(group, "alice", { announced: true, listed: 0 });
    layer.roster.leave(group, "alice", { announced: true });
    return before.version;
  };
  await visit("room");
  const remembered = (await visit("room")) + 2;
  for (let index = 0; index < 10_001; index += 1) await visit(`room-${index}`);
  expect(await visit("room")).toBeGreaterThanOrEqual(remembered);
});
