import type { Redis } from "ioredis";
import { expect, test, vi } from "vitest";
import { DEADLINE, describeFaults, startCluster } from "./cluster.ts";
import { cutRedisSubscribers } from "./injections.ts";
import { judge, noFaults, report } from "./judge.ts";
import { startTraffic } from "./traffic.ts";

/** Ms in which everything must be right again. */
const RIGHT_AGAIN = 15_000;

/** Each channel of the cluster, and how many nodes listen to it; those of the visitors come and go. */
async function listening(redis: Redis): Promise<Record<string, number>> {
  const channels = (await redis.pubsub("CHANNELS")) as string[];
  const steady = channels.filter((channel) => !channel.includes("visitor")).sort();
  const counts = (await redis.pubsub("NUMSUB", ...steady)) as (string | number)[];
  return Object.fromEntries(steady.map((channel, index) => [channel, Number(counts[2 * index + 1])]));
}

describeFaults("subscriptions that Redis ends", () => {
  test("[ORDER-2] CLIENT KILL TYPE pubsub, three times: every socket stays and is told every change once, in order", {
    timeout: DEADLINE,
  }, async () => {
    const cluster = await startCluster({ nodes: 2 });
    const traffic = await startTraffic(cluster);
    const redis = cluster.connectRedis();
    const before = await listening(redis);
    for (let times = 0; times < 3; times += 1) {
      await traffic.flows(20);
      expect(await cutRedisSubscribers(cluster)).toBe(cluster.nodes.length);
      await vi.waitFor(async () => expect(await listening(redis)).toEqual(before), RIGHT_AGAIN);
    }
    const mendedAt = performance.now();
    await traffic.flows(20);
    await traffic.stop();
    const verdict = await judge(cluster, traffic, { deadline: RIGHT_AGAIN, mendedAt });
    report("CLIENT KILL TYPE pubsub", traffic, verdict);
    expect(verdict.faults).toEqual(noFaults);
  });
});
