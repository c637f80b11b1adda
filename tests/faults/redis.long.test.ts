import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { type Cluster, type ClusterOptions, DEADLINE, describeFaults, startCluster } from "./cluster.ts";
import { judge, noFaults, report } from "./judge.ts";
import { startTraffic, type Traffic } from "./traffic.ts";

/** Ms that Redis is away or silent: longer than a node waits for an answer of it. */
const AWAY = 5_000;
/** Ms in which everything must be right again. */
const RIGHT_AGAIN = 15_000;
/** What a node says when it has given up a connection. */
const GIVEN_UP = "Redis is away";

interface Fault {
  readonly row: string;
  readonly cluster?: Partial<ClusterOptions>;
  /** Resolves when it is over. */
  happens(cluster: Cluster, traffic: Traffic): Promise<void>;
}

/** Two nodes, a fault, and what was promised: nobody waits for Redis, nothing is lost, all is right within 15 s. */
async function expectPromiseKept({ row, cluster: options, happens }: Fault): Promise<void> {
  const cluster = await startCluster({ nodes: 2, ...options });
  const traffic = await startTraffic(cluster);
  await traffic.flows(30);
  await happens(cluster, traffic);
  const mendedAt = performance.now();
  await traffic.flows(30);
  await traffic.stop();
  const verdict = await judge(cluster, traffic, { deadline: RIGHT_AGAIN, mendedAt });
  report(row, traffic, verdict);
  expect(verdict.faults).toEqual(noFaults);
}

/** Messages are acknowledged while Redis says nothing and the nodes still wait for it. */
async function expectNobodyWaits(cluster: Cluster, traffic: Traffic): Promise<void> {
  await traffic.converse(5);
  expect(cluster.said(GIVEN_UP)).toBe(false);
}

describeFaults("a Redis that goes away", () => {
  test("[ORDER-2] [PRESENCE-2] killed and restarted empty: sends go on, and all is right within 15 s", {
    timeout: DEADLINE,
  }, async () => {
    await expectPromiseKept({
      row: "Redis killed and restarted empty",
      happens: async (cluster, traffic) => {
        await cluster.redis.kill();
        await Promise.all([traffic.flows(60), sleep(AWAY)]);
        await cluster.redis.restart();
      },
    });
  });

  test("[ORDER-2] [PRESENCE-2] killed, and three nodes reach the empty one one after the other: nobody is said to have left", {
    timeout: DEADLINE,
  }, async () => {
    await expectPromiseKept({
      row: "Redis killed, reached by one node after the other",
      cluster: { nodes: 3, proxied: ["redis"] },
      happens: async (cluster, traffic) => {
        const [first, ...later] = cluster.nodes.map((node) => ({ node, network: node.proxy("redis") }));
        for (const { network } of later) network.cut();
        await cluster.redis.restart();
        await vi.waitFor(() => expect(first?.node.said("Redis is back")).toBe(true), DEADLINE);
        for (const { network } of later) {
          await Promise.all([traffic.flows(30), sleep(AWAY / 2)]);
          network.restore();
        }
      },
    });
  });

  test("[ORDER-2] CLIENT PAUSE 5000 ALL: nobody waits for it, and all is right within 15 s", {
    timeout: DEADLINE,
  }, async () => {
    await expectPromiseKept({
      row: "CLIENT PAUSE 5000 ALL",
      happens: async (cluster, traffic) => {
        const redis = cluster.connectRedis();
        await redis.call("CLIENT", "PAUSE", AWAY, "ALL");
        await expectNobodyWaits(cluster, traffic);
        await redis.ping();
      },
    });
  });

  test("[ORDER-2] stopped by SIGSTOP for 5 s: nobody waits for it, and all is right within 15 s", {
    timeout: DEADLINE,
  }, async () => {
    await expectPromiseKept({
      row: "Redis stopped by SIGSTOP for 5 s",
      happens: async (cluster, traffic) => {
        cluster.redis.pause();
        await Promise.all([expectNobodyWaits(cluster, traffic), sleep(AWAY)]);
        cluster.redis.resume();
      },
    });
  });

  test("[PRESENCE-2] FLUSHALL under open connections: nobody is said to have left, and all is right within 15 s", {
    timeout: DEADLINE,
  }, async () => {
    await expectPromiseKept({
      row: "FLUSHALL",
      happens: async (cluster) => {
        const redis = cluster.connectRedis();
        await redis.flushall();
      },
    });
  });
});
