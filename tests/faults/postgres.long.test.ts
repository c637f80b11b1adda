import { expect, test } from "vitest";
import { DEADLINE, describeFaults, startCluster } from "./cluster.ts";
import { crashInCommit, loseCommitAnswers, pausePostgres } from "./injections.ts";
import { expectAllRight, expectOutageSurvived, unavailable } from "./outage.ts";
import { startTraffic } from "./traffic.ts";

/** Ms that PostgreSQL is away or silent. */
const AWAY = 5_000;
/** Ms: longer than a node waits for a statement. */
const GIVEN_UP = 18_000;

describeFaults("a PostgreSQL that goes away", () => {
  test("[MSG-7] [ERROR-7] crashed in commits, three times: what is not stored was not acknowledged, and is stored once", {
    timeout: DEADLINE,
  }, async () => {
    const cluster = await startCluster({ nodes: 2, postgres: "own" });
    const traffic = await startTraffic(cluster);
    for (let times = 0; times < 3; times += 1) {
      await traffic.flows(30);
      await crashInCommit(cluster);
    }
    const mendedAt = performance.now();
    await expectAllRight({ row: "PostgreSQL crashed in commits, three times", cluster, traffic, mendedAt });
    expect(unavailable(traffic)).toBeGreaterThan(0);
  });

  test("[ERROR-7] [CLOSE-2] crashed and away: told by error, close code and /readyz, and all is right within 15 s", {
    timeout: DEADLINE,
  }, async () => {
    await expectOutageSurvived({
      row: "PostgreSQL crashed, away for 5 s",
      kind: "refused",
      lasts: AWAY,
      begins: async ({ postgres }) => {
        await postgres.kill();
        return () => postgres.restart();
      },
    });
  });

  test("[ERROR-7] [CLOSE-2] shut down and started: told by error, close code and /readyz, and all is right within 15 s", {
    timeout: DEADLINE,
  }, async () => {
    await expectOutageSurvived({
      row: "PostgreSQL shut down for 5 s",
      kind: "refused",
      lasts: AWAY,
      begins: async ({ postgres }) => {
        await postgres.shutDown();
        return () => postgres.restart();
      },
    });
  });

  test("[ERROR-7] stopped by SIGSTOP for a while: told by /readyz, and all is right within 15 s", {
    timeout: DEADLINE,
  }, async () => {
    await expectOutageSurvived({
      row: "PostgreSQL stopped by SIGSTOP for 5 s",
      kind: "silent",
      lasts: AWAY,
      begins: async (cluster) => pausePostgres(cluster),
    });
  });

  test("[ERROR-7] [CLOSE-2] stopped for longer than a node waits: given up, and what is stored after that is stored once", {
    timeout: DEADLINE,
  }, async () => {
    await expectOutageSurvived({
      row: "PostgreSQL stopped by SIGSTOP for 18 s",
      kind: "given up",
      lasts: GIVEN_UP,
      begins: async (cluster) => pausePostgres(cluster),
    });
  });
});

describeFaults("a network that takes PostgreSQL away", () => {
  test("[ERROR-7] [CLOSE-2] from one node: it says so, the other goes on, and all is right within 15 s", {
    timeout: DEADLINE,
  }, async () => {
    await expectOutageSurvived({
      row: "PostgreSQL cut off from one node for 5 s",
      cluster: { proxied: ["postgres"] },
      of: (cluster) => [cluster.node(0)],
      kind: "refused",
      lasts: AWAY,
      begins: async (cluster) => {
        const proxy = cluster.node(0).proxy("postgres");
        proxy.cut();
        return () => proxy.restore();
      },
    });
  });

  test("[ERROR-7] for a while, with everything on its way: told by /readyz, and all is right within 15 s", {
    timeout: DEADLINE,
  }, async () => {
    await expectOutageSurvived({
      row: "PostgreSQL held up for 5 s",
      cluster: { proxied: ["postgres"] },
      kind: "silent",
      lasts: AWAY,
      begins: async ({ nodes }) => {
        for (const node of nodes) node.proxy("postgres").hold();
        return () => {
          for (const node of nodes) node.proxy("postgres").restore();
        };
      },
    });
  });

  test("[ERROR-7] with the answers to commits: unavailable, though stored; sent again it is the same message", {
    timeout: DEADLINE,
  }, async () => {
    const cluster = await startCluster({ nodes: 2, postgres: "own", proxied: ["postgres"] });
    const traffic = await startTraffic(cluster);
    for (let lost = 0; lost < 5; ) {
      await traffic.flows(20);
      lost += await loseCommitAnswers(cluster);
    }
    const mendedAt = performance.now();
    await expectAllRight({ row: "answers to commits lost", cluster, traffic, mendedAt });
    expect(unavailable(traffic)).toBeGreaterThan(0);
  });
});
