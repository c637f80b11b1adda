/** What a cluster holds for its sockets: on its nodes, in Redis, in the process. */
import { Redis } from "ioredis";
import type { Cluster } from "./cluster.ts";
import { type Metrics, readMetrics } from "./node-metrics.ts";

export interface Holdings {
  /** By node: open sockets, groups of the channel layer, user feeds, rooms somebody is in, member lists. */
  readonly nodes: readonly Readonly<Record<string, number | undefined>>[];
  /** What keeps the processes alive, timers among them, by type; but for their connections to PostgreSQL, which are kept. */
  readonly resources: Readonly<Record<string, number>>;
  /** The channels that are subscribed, each with the number of nodes. */
  readonly channels: Readonly<Record<string, number>>;
  /**
   * Keys without an end to their life, by name, with their number of entries: who is in a room, the sockets of a user, the
   * words of a node.
   */
  readonly keys: Readonly<Record<string, number>>;
}

const GAUGES = [
  "parley_sockets",
  "parley_groups",
  "parley_user_feeds",
  "parley_presence_rooms",
  "parley_room_member_lists",
];
const RESOURCE = /^nodejs_active_resources\{type="(.*)"\}$/;
const OF_CONNECTIONS = "TCPSocketWrap";

/** Of a cluster whose Redis is its own. */
export async function holdingsOf(cluster: Cluster): Promise<Holdings> {
  const redis = new Redis(cluster.redisUrl);
  try {
    const metrics = await Promise.all(cluster.runningNodes.map(({ url }) => readMetrics(url)));
    return {
      nodes: metrics.map((one) => Object.fromEntries(GAUGES.map((name) => [name, one.get(name)]))),
      resources: await resourcesOf(cluster, metrics),
      channels: await channelsOf(redis),
      keys: await keysOf(redis),
    };
  } finally {
    redis.disconnect();
  }
}

async function resourcesOf(cluster: Cluster, metrics: readonly Metrics[]): Promise<Record<string, number>> {
  const resources: Record<string, number> = {};
  for (const one of metrics) {
    for (const [name, count] of one) {
      const type = RESOURCE.exec(name)?.[1];
      if (type !== undefined) resources[type] = (resources[type] ?? 0) + count;
    }
  }
  const [pool] = await cluster.query<{ connections: number }>(
    "select count(*)::float8 as connections from pg_stat_activity where datname = current_database() and application_name = 'parley'",
  );
  resources[OF_CONNECTIONS] = (resources[OF_CONNECTIONS] ?? 0) - (pool?.connections ?? 0);
  return resources;
}

async function channelsOf(redis: Redis): Promise<Record<string, number>> {
  // Each node hears itself on a channel of its own.
  const names = ((await redis.pubsub("CHANNELS")) as string[]).filter((name) => !name.includes(":node:"));
  if (names.length === 0) return {};
  const counts = (await redis.pubsub("NUMSUB", ...names)) as (string | number)[];
  return Object.fromEntries(names.map((name) => [name, Number(counts[counts.indexOf(name) + 1])]).sort());
}

async function keysOf(redis: Redis): Promise<Record<string, number>> {
  const keys: Record<string, number> = {};
  for (const key of (await redis.keys("*")).sort()) {
    // Of the sockets of somebody who is here: it is made at the first look, and goes within an hour of the last.
    if (key.includes("roster-version:s:")) continue;
    const [life, type] = await Promise.all([redis.pttl(key), redis.type(key)]);
    // Gone since, or going by itself, as the versions of empty groups do; what somebody renews lives for an hour.
    if (life !== -1 && life <= 600_000) continue;
    keys[key] = type === "hash" ? await redis.hlen(key) : type === "zset" ? await redis.zcard(key) : 1;
  }
  return keys;
}
