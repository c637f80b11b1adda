import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type ChannelLayer, LayerUnavailable } from "../../server/channel-layer/layer.ts";
import { type RedisServer, redisServerBinary, startRedisServer } from "../support/redis-server.ts";
import { eventually, hear } from "./nodes.ts";
import { type RedisNodes, redisNodes } from "./redis-nodes.ts";

const announced = { announced: true, listed: 100 };
const skipped = redisServerBinary() === undefined ? " (skipped: no redis-server on this machine)" : "";

describe.skipIf(skipped !== "")(`a Redis that a node outlives${skipped}`, () => {
  let server: RedisServer;
  let nodes: RedisNodes;
  let a: ChannelLayer;
  let b: ChannelLayer;

  beforeEach(async () => {
    server = await startRedisServer();
    nodes = redisNodes(server.url);
    [a, b] = await Promise.all([nodes.join(), nodes.join()]);
  });
  afterEach(async () => {
    await nodes.close();
    await server.stop();
  });

  test("restarted empty: subscriptions and rosters are whole again, and onReset comes after both", async () => {
    const [heardByA, heardByB] = [hear(a), hear(b)];
    await Promise.all([a.subscribe(["room"]), b.subscribe(["room"])]);
    const members = Array.from({ length: 1_000 }, (_, index) => `member-${index}`);
    await Promise.all(members.map((member) => a.roster.join("room", member, { ...announced, listed: 0 })));
    await b.roster.join("room", "bob", announced);
    const { version } = await a.roster.list("room", 0);
    await eventually(() => expect(heardByB.changes).toHaveLength(1_001));

    const listedAtReset: Promise<readonly string[]>[] = [];
    const heardAtReset: string[] = [];
    a.onReset(() => {
      heardAtReset.push("reset");
      listedAtReset.push(a.roster.list("room", 2_000).then((list) => list.members));
    });
    const resetOfB = vi.fn();
    b.onReset(resetOfB);

    await server.kill();
    await eventually(() => expect(a.ping()).rejects.toThrow(LayerUnavailable));
    a.roster.leave("room", "member-0", { announced: true });
    await server.restart();
    await eventually(() => expect(resetOfB).toHaveBeenCalledOnce());
    await eventually(() => expect(heardAtReset).toEqual(["reset"]));

    const kept = members.slice(1);
    expect(await listedAtReset[0]).toEqual(expect.arrayContaining(kept));
    const now = await b.roster.list("room", 2_000);
    expect(now.members.toSorted()).toEqual([...kept, "bob"].toSorted());
    expect(now.version).toBeGreaterThan(version);

    a.publish("room", () => "from a");
    b.publish("room", () => "from b");
    await eventually(() => {
      expect([heardByA.messages, heardByB.messages]).toEqual([
        [{ group: "room", payload: "from b" }],
        [{ group: "room", payload: "from a" }],
      ]);
    });
    heardByB.changes.length = 0;
    a.roster.leave("room", "member-1", { announced: true });
    const left = { group: "room", member: "member-1", present: false, version: now.version + 1 };
    await eventually(() => expect(heardByB.changes).toContainEqual(left));
  });

  test("paused: nothing waits forever, and what was given up does not happen later", async () => {
    const failed: string[] = [];
    const reset = vi.fn();
    a.onPublishFailed((group) => failed.push(group));
    a.onReset(reset);
    const heard = hear(a);
    await a.subscribe(["room"]);
    await a.roster.join("room", "alice", announced);

    server.pause();
    a.publish("room", () => "lost");
    const commands = [
      a.ping(),
      a.subscribe(["hall"]),
      a.roster.join("room", "bob", announced),
      a.roster.list("room", 10),
      a.roster.has("room", "alice"),
    ];
    for (const result of await Promise.allSettled(commands)) {
      expect(result).toEqual({ status: "rejected", reason: expect.any(LayerUnavailable) });
    }
    await eventually(() => expect(failed).toContain("room"));

    server.resume();
    await eventually(() => expect(reset).toHaveBeenCalled());
    await eventually(() => expect(b.ping()).resolves.toBeUndefined());
    expect(await a.roster.list("room", 10)).toMatchObject({ members: ["alice"] });
    b.publish("room", () => "heard");
    await eventually(() => expect(heard.messages.at(-1)).toEqual({ group: "room", payload: "heard" }));
  });

  test("scripts that were dropped are loaded again", async () => {
    await a.roster.join("room", "alice", announced);
    const redis = new Redis(server.url);
    await redis.script("FLUSH");
    redis.disconnect();
    a.roster.leave("room", "alice", { announced: true });
    await eventually(() => expect(a.roster.list("room", 10)).resolves.toMatchObject({ members: [] }));
    expect(await a.roster.join("room", "bob", announced)).toMatchObject({ isNew: true });
  });

  test("a database that it does not have stops the start", async () => {
    const connecting = redisNodes(`${server.url}/99`).join();
    await expect(connecting).rejects.toThrow(LayerUnavailable);
    await expect(connecting).rejects.toThrow(/Redis at 127\.0\.0\.1:\d+: ERR DB index is out of range/);
  });

  test("away for good: closing does not wait for it", async () => {
    await a.roster.join("room", "alice", announced);
    await server.kill();
    await expect(a.close()).resolves.toBeUndefined();
  });
});
