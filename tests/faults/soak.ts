/** Minutes of steady traffic through the client library, with one fault after the other, drawn by a seed. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { seededRandom } from "../support/seeded-random.ts";
import { type Cluster, describeFaults, startCluster } from "./cluster.ts";
import { cutPostgresConnections, cutRedisSubscribers, pausePostgres, restartPostgres } from "./injections.ts";
import { judge, noFaults, type Verdict } from "./judge.ts";
import { readMetrics } from "./node-metrics.ts";
import { startTraffic, type Traffic } from "./traffic.ts";

const MINUTES = Number(process.env.SOAK_MINUTES);
const SEED = Number(process.env.SOAK_SEED);
/** Ms in which everything must be right after the last fault. */
const RIGHT_AGAIN = 15_000;
/** Ms for starting, and for the judgement. */
const ALLOWANCE = 180_000;
/** Ms: the longest pause, of a process or between two faults. */
const LONGEST_PAUSE = 5_000;
const NODES = 3;
const RESIDENT = "process_resident_memory_bytes";

type Random = () => number;
type Strike = (cluster: Cluster, random: Random) => Promise<unknown>;

function oneOf<T>(choices: readonly T[], random: Random): T {
  return choices[Math.floor(random() * choices.length)] as T;
}

function pause(random: Random): Promise<void> {
  return sleep(random() * LONGEST_PAUSE);
}

/** The first node is never ended, so that its memory can be compared. */
function mortal(cluster: Cluster, random: Random) {
  return oneOf(cluster.nodes.slice(1), random);
}

const STRIKES: Readonly<Record<string, Strike>> = {
  "Redis killed, and started empty": ({ redis }) => redis.restart(),
  "Redis's subscribers cut": cutRedisSubscribers,
  "Redis stopped for a while": async ({ redis }, random) => {
    redis.pause();
    await pause(random);
    redis.resume();
  },
  "PostgreSQL's connections cut": cutPostgresConnections,
  "PostgreSQL killed and started": restartPostgres,
  "PostgreSQL stopped for a while": async (cluster, random) => {
    const resume = pausePostgres(cluster);
    await pause(random);
    resume();
  },
  "a node killed, and started again": async (cluster, random) => {
    const node = mortal(cluster, random);
    await node.end("SIGKILL");
    await pause(random);
    await node.start();
  },
  "a node stopped in order, and started again": async (cluster, random) => {
    const node = mortal(cluster, random);
    expect(await node.end("SIGTERM")).toEqual({ code: 0, signal: null });
    await node.start();
  },
  "a node's process held for a while": async (cluster, random) => {
    const node = oneOf(cluster.nodes, random);
    node.signal("SIGSTOP");
    await pause(random);
    node.signal("SIGCONT");
  },
};

async function strikeUntil(end: number, cluster: Cluster, traffic: Traffic): Promise<void> {
  const random = seededRandom(SEED);
  const names = Object.keys(STRIKES);
  const begin = performance.now();
  while (performance.now() < end) {
    await pause(random);
    const name = oneOf(names, random);
    console.log(`${Math.round((performance.now() - begin) / 1_000)} s: ${name}`);
    await STRIKES[name]?.(cluster, random);
    // It runs again, or the fault has stopped it for good.
    await traffic.flows(100);
  }
}

/** MiB, by node. */
async function residentMemory(cluster: Cluster): Promise<string> {
  const sizes = await Promise.all(
    cluster.nodes.map(async ({ url }) => (await readMetrics(url)).get(RESIDENT) ?? Number.NaN),
  );
  return sizes.map((bytes) => `${Math.round(bytes / 2 ** 20)} MiB`).join(", ");
}

function summary({ ledger }: Traffic, { faults, delivered, rightAgain }: Verdict): string {
  const { lost, doubled, outOfOrder, ...others } = faults;
  const lines = [
    `seed ${SEED}, ${MINUTES} minutes`,
    `sent ${ledger.messages.size}`,
    `acknowledged ${ledger.acknowledged}`,
    `delivered ${delivered}`,
    `lost ${lost}`,
    `doubled ${doubled}`,
    `out of order ${outOfOrder}`,
    `longest time without an acknowledgement ${ledger.longestSilence} ms`,
    `all right again after ${rightAgain ?? `more than ${RIGHT_AGAIN}`} ms`,
    ...Object.entries(others).map(([name, count]) => (count === 0 ? "" : `${name} ${count}`)),
  ];
  return lines.filter((line) => line !== "").join("\n");
}

describeFaults("a soak", () => {
  test(`keeps every promise for ${MINUTES} minutes of faults (--seed ${SEED})`, {
    timeout: MINUTES * 60_000 + ALLOWANCE,
  }, async () => {
    console.log(`--seed ${SEED}`);
    const cluster = await startCluster({ nodes: NODES, postgres: "own", redis: "own" });
    const traffic = await startTraffic(cluster, { lines: "library", people: 8, rate: 40 });
    await traffic.flows(200);
    const memoryAtStart = await residentMemory(cluster);
    await strikeUntil(performance.now() + MINUTES * 60_000, cluster, traffic);
    const mendedAt = performance.now();
    await traffic.stop();
    const verdict = await judge(cluster, traffic, { deadline: RIGHT_AGAIN, mendedAt, leaves: "permitted" });
    console.log(summary(traffic, verdict));
    console.log(
      `memory at start ${memoryAtStart}; at the end ${await residentMemory(cluster)} (the first was never ended)`,
    );
    expect(verdict.faults).toEqual(noFaults);
  });
});
