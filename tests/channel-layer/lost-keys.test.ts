/** Any one key of the roster may be lost, under open sessions: who is there, and the counts, come right by themselves. */
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ChannelLayer } from "../../server/channel-layer/layer.ts";
import { redisUrl, servicesMissing } from "../support/services.ts";
import { announced, eventually, hear, unannounced } from "./nodes.ts";
import { type RedisNodes, redisNodes } from "./redis-nodes.ts";

const skipped = redisUrl === undefined ? ` (skipped: ${servicesMissing})` : "";

describe.skipIf(redisUrl === undefined)(`a key of the roster is lost${skipped}`, () => {
  let nodes: RedisNodes;
  let redis: Redis;
  let a: ChannelLayer;
  let b: ChannelLayer;

  beforeEach(async () => {
    redis = new Redis(redisUrl ?? "");
    nodes = redisNodes(redisUrl ?? "");
    [a, b] = await Promise.all([nodes.join(), nodes.join()]);
    await a.roster.join("room", "alice", announced);
    await a.roster.join("room", "bob", announced);
    await b.roster.join("room", "bob", announced);
    await a.roster.join("slots", "a:1", unannounced);
    await a.roster.join("slots", "a:2", unannounced);
  });
  afterEach(async () => {
    await nodes.close();
    redis.disconnect();
  });

  const lose = async (name: string) => {
    expect(await redis.del(`${nodes.prefix}${name}`)).toBe(1);
  };
  const members = async (group: string, at = b) => [...(await at.roster.list(group, 10)).members].sort();

  async function expectAllToLeave(): Promise<void> {
    await eventually(async () => expect(await members("room")).toEqual(["alice", "bob"]));
    await eventually(async () => expect(await members("slots")).toEqual(["a:1", "a:2"]));
    a.roster.leave("room", "alice", announced);
    a.roster.leave("room", "bob", announced);
    a.roster.leave("slots", "a:1", unannounced);
    a.roster.leave("slots", "a:2", unannounced);
    await eventually(async () => expect(await members("slots")).toEqual([]));
    expect(await members("room")).toEqual(["bob"]);
    b.roster.leave("room", "bob", announced);
    await eventually(async () => expect(await members("room")).toEqual([]));
    expect(await redis.exists(`${nodes.prefix}roster:room`, `${nodes.prefix}roster:slots`)).toBe(0);
  }

  for (const name of ["roster:room", "roster:slots", "roster-version:room", "roster-leases", "roster-life"]) {
    test(name, async () => {
      await lose(name);
      await expectAllToLeave();
    });
  }

  test("roster-node:<a>", async () => {
    const reset = vi.fn();
    a.onReset(reset);
    await lose(`roster-node:${a.nodeId}`);
    await eventually(() => expect(reset).toHaveBeenCalled());
    await expectAllToLeave();
  });

  test("roster-node:<a>, and what left before the node noticed leaves", async () => {
    await lose(`roster-node:${a.nodeId}`);
    a.roster.leave("room", "alice", announced);
    await eventually(async () => expect(await members("room", a)).toEqual(["bob"]));
  });

  test("roster:<group>, and another one began it anew before this node noticed", async () => {
    await lose("roster:room");
    await b.roster.join("room", "carol", announced);
    await eventually(async () => expect(await members("room")).toEqual(["alice", "bob", "carol"]));
  });

  test("roster:<group>: a list that is read before all have noticed says that it is not whole", async () => {
    await lose("roster:room");
    const { wholeIn } = await b.roster.list("room", 10);
    expect(wholeIn).toBeGreaterThan(0);
    await eventually(async () => expect((await b.roster.list("room", 10)).wholeIn).toBe(0));
    expect(await members("room")).toEqual(["alice", "bob"]);
  });

  test("roster-node:<a>, and the node dies: its members leave, and its slots are free", async () => {
    const heard = hear(b);
    await b.subscribe(["room"]);
    nodes.kill(a);
    await lose(`roster-node:${a.nodeId}`);
    await eventually(async () => expect(await members("room")).toEqual(["bob"]));
    await eventually(() => expect(heard.changes).toMatchObject([{ member: "alice", present: false }]));
    const { before } = await b.roster.join("slots", "b:1", unannounced);
    expect(before.total).toBe(0);
  });

  test("roster-leases, and a node dies that would have renewed its own", async () => {
    nodes.kill(a);
    await lose("roster-leases");
    await eventually(async () => expect(await members("room")).toEqual(["bob"]));
  }, 40_000);

  test("every key lives for a while only, unless somebody renews it", async () => {
    await eventually(async () => {
      const keys = await redis.keys(`${nodes.prefix}*`);
      expect(keys.length).toBeGreaterThan(5);
      for (const key of keys) expect([key, await redis.ttl(key)]).toEqual([key, expect.any(Number)]);
      for (const key of keys) expect(await redis.ttl(key)).toBeGreaterThan(0);
    });
  });
});
