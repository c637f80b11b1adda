import { expect, test } from "vitest";
import { DEADLINE, describeFaults, startCluster } from "./cluster.ts";
import { judge, noFaults, report } from "./judge.ts";
import { Lookout } from "./lookout.ts";
import { rawLines } from "./raw-lines.ts";
import { startTraffic } from "./traffic.ts";

/** Ms in which the people of a dead node are said to have left, and in which all is right again. */
const RIGHT_AGAIN = 15_000;
/** Ms in which a node that is told to stop has ended. */
const STOPPED = 10_000;

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

describeFaults("nodes that die, sleep, and are replaced", () => {
  test("[ORDER-1] [PRESENCE-1] killed: its people leave within 15 s, its clients go on elsewhere and miss nothing", {
    timeout: DEADLINE,
  }, async () => {
    const cluster = await startCluster({ nodes: 2 });
    const [dying, staying] = [cluster.node(0), cluster.node(1)];
    const traffic = await startTraffic(cluster, { lines: "library" });
    // Bare sockets on the node that stays, in each conversation: nothing may happen to them.
    const steady = await Promise.all(
      traffic.conversations.map(({ id, people: [person = ""] }) =>
        rawLines(cluster).room(person, { conversationId: id, name: id }, staying.index, (clientId, stored) =>
          traffic.ledger.acknowledge(clientId, stored),
        ),
      ),
    );
    traffic.rooms.push(...steady);
    const gone = ["gone-1", "gone-2", "gone-3"];
    const lookout = await Lookout.open(staying, [...gone, "returning"]);
    for (const person of [...gone, "returning"]) await lookout.enter(person, dying);
    await traffic.flows(50);

    const killedAt = performance.now();
    await dying.end("SIGKILL");
    // Sooner than the lease: the room is not to see them go.
    await lookout.enter("returning", staying);
    const [leftAt] = await Promise.all([lookout.shows(["returning"]), traffic.flows(50)]);
    const mendedAt = performance.now();
    await traffic.stop();
    const verdict = await judge(cluster, traffic, { deadline: RIGHT_AGAIN, mendedAt });
    report(`node killed, its people left after ${seconds(leftAt - killedAt)}`, traffic, verdict);
    expect(leftAt - killedAt).toBeLessThan(RIGHT_AGAIN);
    expect(verdict.faults).toEqual(noFaults);
    const told = lookout.sightings.filter(({ at }) => at > killedAt).map(({ what, person }) => `${what} ${person}`);
    expect(told.sort()).toEqual(gone.map((person) => `leave ${person}`));
    for (const { person, record, interruptions } of steady) {
      expect({ interruptions, leaves: record.leaves.filter((name) => name === person) }).toEqual({
        interruptions: 0,
        leaves: [],
      });
    }
  });

  test("[PRESENCE-2] [ORDER-1] stopped by SIGSTOP for longer than its lease: its people leave and are back within 15 s", {
    timeout: DEADLINE,
  }, async () => {
    const cluster = await startCluster({ nodes: 2 });
    const [waking, sleeping] = [cluster.node(0), cluster.node(1)];
    const traffic = await startTraffic(cluster);
    const sleepers = ["sleeper-1", "sleeper-2", "sleeper-3"];
    const lookout = await Lookout.open(waking, sleepers);
    const sockets = await Promise.all(sleepers.map((person) => lookout.enter(person, sleeping)));
    await traffic.flows(30);

    const stoppedAt = performance.now();
    sleeping.signal("SIGSTOP");
    const [leftAt] = await Promise.all([lookout.shows([]), traffic.flows(30)]);
    const mendedAt = performance.now();
    sleeping.signal("SIGCONT");
    const backAt = await lookout.shows(sleepers);
    await traffic.flows(30);
    await traffic.stop();
    const verdict = await judge(cluster, traffic, { deadline: RIGHT_AGAIN, mendedAt, leaves: "permitted" });
    const times = `left after ${seconds(leftAt - stoppedAt)}, back after ${seconds(backAt - mendedAt)}`;
    report(`node stopped by SIGSTOP, its people ${times}`, traffic, verdict);
    expect(leftAt - stoppedAt).toBeLessThan(RIGHT_AGAIN);
    expect(backAt - mendedAt).toBeLessThan(RIGHT_AGAIN);
    expect(verdict.faults).toEqual(noFaults);
    expect(sockets.filter(({ isOpen }) => !isOpen)).toEqual([]);
  });

  test("[CLOSE-1] [ORDER-1] all restarted, one after the other: clients are led on, and miss and double nothing", {
    timeout: DEADLINE,
  }, async () => {
    const cluster = await startCluster({ nodes: 3 });
    const traffic = await startTraffic(cluster, { lines: "library" });
    const stops: string[] = [];
    for (const node of cluster.nodes) {
      await traffic.flows(30);
      const toldAt = performance.now();
      expect(await node.end("SIGTERM")).toEqual({ code: 0, signal: null });
      expect(performance.now() - toldAt).toBeLessThan(STOPPED);
      stops.push(seconds(performance.now() - toldAt));
      await node.start();
    }
    const mendedAt = performance.now();
    await traffic.flows(30);
    await traffic.stop();
    const verdict = await judge(cluster, traffic, { deadline: RIGHT_AGAIN, mendedAt });
    report(`rolling restart, nodes ended after ${stops.join(", ")}`, traffic, verdict);
    expect(verdict.faults).toEqual(noFaults);
    // Each was on one of them.
    expect(traffic.lines.filter(({ interruptions }) => interruptions === 0)).toEqual([]);
  });
});
