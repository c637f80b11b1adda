/** A Redis that answers and refuses: the start says what is missing; a node that runs says so once, and recovers by itself. */
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LayerUnavailable } from "../../server/channel-layer/layer.ts";
import { connectRedisLayer, type RedisChannelLayer } from "../../server/channel-layer/redis.ts";
import { type RedisServer, redisServerBinary, startRedisServer } from "../support/redis-server.ts";
import { announced, eventually, hear } from "./nodes.ts";
import { startTcpProxy } from "./tcp-proxy.ts";

const skipped = redisServerBinary() === undefined ? " (skipped: no redis-server on this machine)" : "";

describe.skipIf(skipped !== "")(`a Redis that refuses${skipped}`, () => {
  let server: RedisServer;
  let redis: Redis;
  const layers: RedisChannelLayer[] = [];
  const lines: string[] = [];
  const log = {
    info: (_fields: object, message: string) => lines.push(message),
    warn: (fields: object, message: string) => lines.push(`${message} ${"redis" in fields ? fields.redis : ""}`),
  };

  beforeEach(async () => {
    server = await startRedisServer();
    redis = new Redis(server.url);
    lines.length = 0;
  });
  afterEach(async () => {
    for (const layer of layers.splice(0)) await layer.close();
    redis.disconnect();
    await server.stop();
  });

  async function join(url = server.url, prefix = "p:"): Promise<RedisChannelLayer> {
    const layer = await connectRedisLayer({ url, prefix, log });
    layers.push(layer);
    return layer;
  }

  const asUser = (...rules: string[]) =>
    redis
      .call("ACL", "SETUSER", "app", "on", ">pw", "resetchannels", "&p:*", "~p:*", "+@all", ...rules)
      .then(() => server.url.replace("//", "//app:pw@"));

  test("nothing, where the user has just the rules that are asked for", async () => {
    const needed = "+@connection +@pubsub +@scripting +@keyspace +@string +@hash +@sortedset +time +info".split(" ");
    const layer = await join(await asUser("-@all", ...needed));
    await expect(layer.ping()).resolves.toBeUndefined();
    const other = await join();
    const heard = hear(layer);
    await layer.subscribe(["room"]);
    await other.roster.join("room", "alice", announced);
    await eventually(() => expect(heard.changes).toHaveLength(1));
  });

  for (const [what, rules, words] of [
    ["channels", ["resetchannels"], /NOPERM.*channels.*&p:\*/],
    ["others' channels alone", ["resetchannels", "&other:*"], /NOPERM.*&p:\*/],
    ["SUBSCRIBE", ["-subscribe"], /NOPERM.*subscribe.*\+@pubsub/],
    ["PUBLISH", ["-publish"], /NOPERM.*publish.*\+@pubsub/],
    ["keys", ["resetkeys", "~other:*"], /~p:\*/],
    ["scripts", ["-evalsha"], /NOPERM.*evalsha.*\+@scripting/],
    ["loading scripts", ["-script"], /NOPERM.*script.*\+@scripting/],
    ["HSCAN", ["-hscan"], /HSCAN.*\+@hash/i],
    ["ZADD", ["-zadd"], /zadd|ZADD|can't run/],
    ["HRANDFIELD", ["-hrandfield"], /HRANDFIELD.*\+@hash/i],
  ] as const) {
    test(`${what}: stops the start with one line that says what is missing`, async () => {
      const joining = join(await asUser(...rules));
      await expect(joining).rejects.toThrow(LayerUnavailable);
      await expect(joining).rejects.toThrow(words);
      await expect(joining).rejects.toThrow(/Redis at 127\.0\.0\.1:\d+ refuses what this node needs: /);
    });
  }

  test("for want of memory: not ready, one line; ready again when there is some", async () => {
    const layer = await join();
    await layer.roster.join("room", "alice", announced);
    await redis.config("SET", "maxmemory", "1");
    await eventually(() => expect(layer.ping()).rejects.toThrow(LayerUnavailable));
    await eventually(() => expect(layer.roster.join("room", "bob", announced)).rejects.toThrow(LayerUnavailable));
    await eventually(() => expect(lines.filter((line) => line.includes("OOM"))).toHaveLength(1));
    await redis.config("SET", "maxmemory", "0");
    await eventually(() => expect(layer.ping()).resolves.toBeUndefined());
    expect(await layer.roster.list("room", 10)).toMatchObject({ members: ["alice"] });
    expect(lines.filter((line) => line.includes("OOM"))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith("Redis does all"))).toHaveLength(1);
  });

  test("rights that are taken away: not ready; ready again when they are back", async () => {
    const layer = await join(await asUser());
    await redis.call("ACL", "SETUSER", "app", "-publish");
    await eventually(() => expect(layer.ping()).rejects.toThrow(/publish/i));
    await redis.call("ACL", "SETUSER", "app", "+publish");
    await eventually(() => expect(layer.ping()).resolves.toBeUndefined());
  });

  test("as a replica, after another server took over behind its name: both connections follow the name", async () => {
    const other = await startRedisServer();
    const target = new URL(server.url);
    const proxy = await startTcpProxy(target);
    try {
      const layer = await join(`redis://127.0.0.1:${proxy.port}`);
      await layer.subscribe(["room"]);
      await layer.roster.join("room", "alice", announced);
      target.port = new URL(other.url).port;
      await redis.replicaof("127.0.0.1", Number(target.port));
      await eventually(() => expect(layer.ping()).rejects.toThrow(LayerUnavailable));
      await eventually(() => expect(layer.ping()).resolves.toBeUndefined());
      expect(await layer.roster.list("room", 10)).toMatchObject({ members: ["alice"] });
      const heard = hear(layer);
      const neighbour = await join(other.url);
      neighbour.publish("room", () => "heard");
      await eventually(() => expect(heard.messages).toEqual([{ group: "room", payload: "heard" }]));
      expect(lines.filter((line) => line.includes("READONLY"))).toHaveLength(1);
    } finally {
      await proxy.close();
      await other.stop();
    }
  });

  test("as a replica that stays one: new connections are made ever more seldom", async () => {
    const layer = await join();
    const before = Number(/total_connections_received:(\d+)/.exec(await redis.info("stats"))?.[1]);
    await redis.replicaof("127.0.0.1", 1);
    await eventually(() => expect(lines.filter((line) => line.includes("READONLY"))).toHaveLength(1));
    await eventually(async () => {
      const now = Number(/total_connections_received:(\d+)/.exec(await redis.info("stats"))?.[1]);
      expect(now - before).toBeGreaterThanOrEqual(4);
    });
    const soon = Number(/total_connections_received:(\d+)/.exec(await redis.info("stats"))?.[1]);
    expect(soon - before).toBeLessThan(12);
    await expect(layer.ping()).rejects.toThrow(LayerUnavailable);
    await redis.replicaof("NO", "ONE");
    await eventually(() => expect(layer.ping()).resolves.toBeUndefined());
  });

  test("databases of one server keep deployments of one prefix apart, in channels as in keys", async () => {
    const [zero, one, alsoOne] = await Promise.all([join(), join(`${server.url}/1`), join(`${server.url}/1`)]);
    const [heardByZero, heardByOne] = [hear(zero), hear(alsoOne)];
    await Promise.all([zero.subscribe(["room"]), alsoOne.subscribe(["room"])]);
    await one.roster.join("room", "alice", announced);
    one.publish("room", () => "said in 1");
    await eventually(() => expect(heardByOne.messages).toHaveLength(1));
    await eventually(() => expect(heardByOne.changes).toHaveLength(1));
    await zero.ping();
    expect(heardByZero).toEqual({ messages: [], changes: [] });
    expect(await zero.roster.list("room", 10)).toMatchObject({ total: 0 });
  });
});
