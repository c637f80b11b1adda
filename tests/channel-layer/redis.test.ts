import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type ChannelLayer, LayerUnavailable } from "../../server/channel-layer/layer.ts";
import { connectRedisLayer } from "../../server/channel-layer/redis.ts";
import { type RosterScript, rosterScripts } from "../../server/channel-layer/roster-scripts.ts";
import { freePort } from "../support/server-process.ts";
import { redisUrl, servicesMissing } from "../support/services.ts";
import { describeLayer } from "./contract.ts";
import { eventually, hear } from "./nodes.ts";
import { type RedisNodes, redisNodes } from "./redis-nodes.ts";

const announced = { announced: true, listed: 100 };

const skipped = redisUrl === undefined ? ` (skipped: ${servicesMissing})` : "";

describe.skipIf(redisUrl === undefined)(`with Redis${skipped}`, () => {
  const url = redisUrl ?? "";
  describeLayer("Redis", async () => redisNodes(url));

  describe("Redis layer", () => {
    let nodes: RedisNodes;
    let a: ChannelLayer;
    let b: ChannelLayer;
    let redis: Redis;

    beforeEach(async () => {
      redis = new Redis(url);
      nodes = redisNodes(url);
      [a, b] = await Promise.all([nodes.join(), nodes.join()]);
    });
    afterEach(async () => {
      await nodes.close();
      redis.disconnect();
    });

    test("prefixes keep deployments apart", async () => {
      const others = redisNodes(url);
      const other = await others.join();
      const [heardByOther, heardByB] = [hear(other), hear(b)];
      await Promise.all([other.subscribe(["room"]), b.subscribe(["room"])]);
      await a.roster.join("room", "alice", announced);
      a.publish("room", () => "text");
      await eventually(() => expect(heardByB.messages).toHaveLength(1));
      expect(await other.roster.list("room", 10)).toMatchObject({ members: [], total: 0 });
      await other.ping();
      expect(heardByOther).toEqual({ messages: [], changes: [] });
      await others.close();
    });

    test("nothing stays in Redis when all have left, but the versions for a while", async () => {
      await a.roster.join("room", "alice", announced);
      await b.roster.join("room", "bob", announced);
      await b.roster.join("hall", "bob", { announced: false, listed: 0 });
      expect(await redis.ttl(`${nodes.prefix}roster-version:room`)).toBeGreaterThan(600);
      await Promise.all([a.close(), b.close()]);
      const keys = await redis.keys(`${nodes.prefix}*`);
      expect(keys.toSorted()).toEqual([`${nodes.prefix}roster-version:hall`, `${nodes.prefix}roster-version:room`]);
      for (const key of keys) expect(await redis.ttl(key)).toBeGreaterThan(0);
    });

    test("what is published while Redis is away is reported, group by group", async () => {
      const failed: string[] = [];
      a.onPublishFailed((group) => failed.push(group));
      nodes.network(a).cut();
      for (const group of ["room", "room", "hall"]) a.publish(group, () => "lost");
      await eventually(() => expect(failed.toSorted()).toEqual(["hall", "room"]));
      await eventually(() => expect(a.ping()).rejects.toThrow(LayerUnavailable));
      a.publish("lobby", () => "lost");
      await eventually(() => expect(failed).toContain("lobby"));

      const heard = hear(b);
      await b.subscribe(["room"]);
      nodes.network(a).restore();
      await eventually(() => expect(a.ping()).resolves.toBeUndefined());
      a.publish("room", () => "heard");
      await eventually(() => expect(heard.messages).toEqual([{ group: "room", payload: "heard" }]));
    });

    test("after the connection was lost all is heard again before onReset, but not what was given up", async () => {
      const heard = hear(a);
      const reset = vi.fn();
      a.onReset(reset);
      const groups = Array.from({ length: 1_500 }, (_, index) => `room-${index}`);
      await a.subscribe([...groups, "given up", "given up while away"]);
      a.unsubscribe(["given up"]);
      nodes.network(a).cut();
      await eventually(() => expect(a.subscribe(["refused"])).rejects.toThrow(LayerUnavailable));
      a.unsubscribe(["given up while away"]);
      expect(reset).not.toHaveBeenCalled();

      nodes.network(a).restore();
      await eventually(() => expect(reset).toHaveBeenCalledOnce());
      for (const group of ["given up", "given up while away", "refused", ...groups]) b.publish(group, () => group);
      await eventually(() => expect(heard.messages).toHaveLength(groups.length));
      expect(heard.messages).toEqual(groups.map((group) => ({ group, payload: group })));
    });

    test("a connection that is open but dead is found, and made anew", async () => {
      const heard = hear(a);
      const reset = vi.fn();
      a.onReset(reset);
      await a.subscribe(["room"]);
      nodes.network(a).freeze();
      await eventually(() => expect(reset).toHaveBeenCalled());
      b.publish("room", () => "heard");
      await eventually(() => expect(heard.messages).toEqual([{ group: "room", payload: "heard" }]));
    });

    test("while away a join is refused and leaves no word behind, and a leave is said when the layer is back", async () => {
      const heard = hear(b);
      await b.subscribe(["room"]);
      await a.roster.join("room", "alice", announced);
      await a.roster.join("room", "stays", announced);
      nodes.network(a).cut();
      await eventually(() => expect(a.roster.list("room", 10)).rejects.toThrow(LayerUnavailable));
      await expect(a.roster.join("room", "bob", announced)).rejects.toThrow(LayerUnavailable);
      a.roster.leave("room", "alice", { announced: true });
      expect(await b.roster.has("room", "alice")).toBe(true);

      nodes.network(a).restore();
      await eventually(async () => expect(await b.roster.list("room", 10)).toMatchObject({ members: ["stays"] }));
      await eventually(() => expect(heard.changes.map(({ member }) => member)).toEqual(["alice", "stays", "alice"]));
    });

    test("a join that was lost on the way leaves no word behind", async () => {
      await a.roster.join("room", "alice", announced);
      const lost = a.roster.join("room", "bob", announced);
      a.roster.leave("room", "alice", { announced: true });
      nodes.network(a).cut();
      await expect(lost).rejects.toThrow(LayerUnavailable);
      nodes.network(a).restore();
      await eventually(() => expect(a.roster.list("room", 10)).resolves.toMatchObject({ members: [] }));
    });

    test("a node that was cut off for longer than its lease says its words again", async () => {
      const heard = hear(b);
      const reset = vi.fn();
      a.onReset(reset);
      await b.subscribe(["room"]);
      await a.roster.join("room", "alice", announced);
      nodes.network(a).cut();
      await eventually(() => expect(heard.changes.map(({ present }) => present)).toEqual([true, false]));

      nodes.network(a).restore();
      await eventually(() => expect(reset).toHaveBeenCalledOnce());
      expect(await b.roster.list("room", 10)).toMatchObject({ members: ["alice"] });
      await eventually(() => expect(heard.changes.map(({ present }) => present)).toEqual([true, false, true]));
    });

    test("a store that was emptied under open connections is filled again, and onReset comes after it", async () => {
      const listedAtReset: Promise<readonly string[]>[] = [];
      a.onReset(() => listedAtReset.push(a.roster.list("room", 10).then((list) => list.members)));
      await a.roster.join("room", "alice", announced);
      await b.roster.join("room", "bob", announced);
      const { version } = await a.roster.list("room", 0);
      await redis.del(await redis.keys(`${nodes.prefix}*`));
      await eventually(() => expect(listedAtReset).toHaveLength(1));
      expect(await listedAtReset[0]).toContain("alice");
      await eventually(async () => expect((await a.roster.list("room", 10)).total).toBe(2));
      expect((await a.roster.list("room", 0)).version).toBeGreaterThan(version);
      a.roster.leave("room", "alice", { announced: true });
      expect((await a.roster.list("room", 10)).members).toEqual(["bob"]);
    });

    test("what a session said that is over is refused, however late it arrives", async () => {
      nodes.network(a).cut();
      await eventually(() => expect(a.roster.list("room", 0)).rejects.toThrow(LayerUnavailable));
      nodes.network(a).restore();
      await eventually(() => expect(a.roster.list("room", 0)).resolves.toBeDefined());
      await a.roster.join("room", "alice", announced);

      const say = (script: RosterScript, session: number, ...args: (string | number)[]) =>
        redis.eval(script.lua, 0, nodes.prefix, `${nodes.prefix}group:`, a.nodeId, session, ...args);
      expect(await say(rosterScripts.join, 1, "room", "bob", "1", 0)).toBeNull();
      expect(await say(rosterScripts.leave, 1, "room", "alice", "1")).toBeNull();
      expect(await say(rosterScripts.open, 1, 1_000)).toBeNull();
      expect(await a.roster.list("room", 10)).toMatchObject({ members: ["alice"] });
    });

    test("what no node publishes on a group's channel is left alone", async () => {
      const heard = hear(a);
      await a.subscribe(["room"]);
      for (const message of ["", "m", "r", "r+", "r1", "rx+alice", "hello"]) {
        await redis.publish(`${nodes.prefix}group:room`, message);
      }
      b.publish("room", () => "heard");
      await eventually(() => expect(heard.messages).toEqual([{ group: "room", payload: "heard" }]));
      expect(heard.changes).toEqual([]);
    });
  });
});

describe("a Redis that is not there", () => {
  test("stops the start, and says which and why", async () => {
    const options = { host: "127.0.0.1", port: await freePort(), prefix: "unused:" };
    const connecting = connectRedisLayer({ ...options, log: { info: () => {}, warn: () => {} } });
    await expect(connecting).rejects.toThrow(LayerUnavailable);
    await expect(connecting).rejects.toThrow(/Redis at 127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/);
  });
});
