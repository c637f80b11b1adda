import { expect, test } from "vitest";
import { DEADLINE, describeFaults, startCluster } from "./cluster.ts";
import { judge, noFaults, report } from "./judge.ts";
import { startTraffic } from "./traffic.ts";

/** A module that the node loads first: its clock is ten minutes fast. */
const FAST_CLOCK = new URL("fast-clock.ts", import.meta.url).href;

describeFaults("clocks that disagree", () => {
  test("[ORDER-1] [READ-3] a node ten minutes ahead of the other: one order, the database's dates, and exact counts", {
    timeout: DEADLINE,
  }, async () => {
    const cluster = await startCluster({ nodes: 2, preloaded: (index) => (index === 1 ? [FAST_CLOCK] : []) });
    const traffic = await startTraffic(cluster);
    await traffic.flows(100);
    const mendedAt = performance.now();
    await traffic.stop();
    const verdict = await judge(cluster, traffic, { deadline: 15_000, mendedAt });
    report("clocks ten minutes apart", traffic, verdict);
    expect(verdict.faults).toEqual(noFaults);
  });
});
