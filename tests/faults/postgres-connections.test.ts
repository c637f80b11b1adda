import { expect, test } from "vitest";
import { DEADLINE, describeFaults, startCluster } from "./cluster.ts";
import { cutPostgresConnections } from "./injections.ts";
import { expectAllRight } from "./outage.ts";
import { startTraffic } from "./traffic.ts";

describeFaults("connections that PostgreSQL ends", () => {
  test("[ERROR-7] pg_terminate_backend, four times: sockets stay, and what was acknowledged is stored once", {
    timeout: DEADLINE,
  }, async () => {
    const cluster = await startCluster({ nodes: 2, postgres: "own" });
    const traffic = await startTraffic(cluster);
    for (let times = 0; times < 4; times += 1) {
      await traffic.flows(20);
      // At least the one that each node writes on.
      expect(await cutPostgresConnections(cluster)).toBeGreaterThanOrEqual(cluster.nodes.length);
    }
    const mendedAt = performance.now();
    await expectAllRight({ row: "pg_terminate_backend", cluster, traffic, mendedAt });
  });
});
