import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { DEADLINE, describeFaults, startCluster } from "./cluster.ts";
import { type Disorder, startDisorder } from "./disordered-redis.ts";
import { judge, noFaults, report } from "./judge.ts";
import { startTraffic } from "./traffic.ts";

/** To see a run again: FAULT_SEED=… npm run test:faults. */
const SEED = Number(process.env.FAULT_SEED || randomInt(2 ** 31));

describeFaults("a network that loses, doubles and swaps what Redis publishes", () => {
  test(`[ORDER-1] [PRESENCE-2] every change once and in order, and everybody's presence right (FAULT_SEED=${SEED})`, {
    timeout: DEADLINE,
  }, async () => {
    const disorders: Disorder[] = [];
    const cluster = await startCluster({
      nodes: 2,
      redisUrlOf: async (index, url) => {
        const disorder = await startDisorder(url, SEED + index);
        disorders.push(disorder);
        return disorder.url;
      },
    });
    const traffic = await startTraffic(cluster);
    await traffic.flows(100);
    const mendedAt = performance.now();
    // Not mended: that the layer may lose anything is the promise. The last of it is lost like the first.
    await traffic.stop();
    const verdict = await judge(cluster, traffic, { deadline: 15_000, mendedAt });
    report(`publishes lost, doubled, swapped (seed ${SEED})`, traffic, verdict);
    expect(verdict.faults).toEqual(noFaults);
    for (const { counts } of disorders) {
      for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0);
    }
  });
});
