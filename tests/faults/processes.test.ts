import { expect, onTestFinished, test, vi } from "vitest";
import { Communicator, type Frame } from "../support/communicator.ts";
import { tokenFor } from "../support/stack.ts";
import { DEADLINE, describeFaults, startCluster } from "./cluster.ts";
import type { ClusterNode } from "./cluster-node.ts";
import { judge, noFaults, report } from "./judge.ts";
import { Talker } from "./talker.ts";
import { startTraffic } from "./traffic.ts";

/** Ms in which a node that is told to stop has ended, by default and by what is set here. */
const STOPPED = 10_000;
const SHUTDOWN_SECONDS = 3;
/** Sockets in all, and of each kind for one of the other. */
const IDLE = 300;
const IDLE_PER_TALKER = 30;
/** Ms between two closings that are not of one lot. */
const BETWEEN_LOTS = 20;

interface Closing {
  readonly code: number;
  /** By `performance.now()`. */
  readonly at: number;
}

/** A socket that only listens; resolves, when it is open, with how it will be closed. */
async function openIdle({ sockets }: ClusterNode): Promise<{ closing: Promise<Closing> }> {
  const { socket, closed } = await Communicator.connect(`${sockets}/ws/notifications/`, await tokenFor("idler"));
  onTestFinished(() => socket.terminate());
  return { closing: closed.then(({ code }) => ({ code, at: performance.now() })) };
}

describeFaults("a node that is told to stop", () => {
  test("[CLOSE-1] [CLOSE-4] SIGTERM under load: it finishes what it has, sends everybody elsewhere, and ends within 10 s", {
    timeout: DEADLINE,
  }, async () => {
    const settings = { SHUTDOWN_SECONDS: String(SHUTDOWN_SECONDS) };
    const cluster = await startCluster({ nodes: 2, settings });
    const [stopping, staying] = [cluster.node(0), cluster.node(1)];
    const { url, sockets } = stopping;
    const traffic = await startTraffic(cluster, { lines: "library" });
    const idle: { closing: Promise<Closing> }[] = [];
    const talkers: Talker[] = [];
    while (idle.length < IDLE) {
      const talker = await Talker.open(`talker-${talkers.length + 1}`, stopping, traffic.ledger);
      onTestFinished(() => talker.close());
      talkers.push(talker);
      const count = IDLE_PER_TALKER;
      idle.push(...(await Promise.all(Array.from({ length: count }, () => openIdle(stopping)))));
    }
    for (const talker of talkers) talker.talk();
    await traffic.flows(100);

    const toldAt = performance.now();
    const ended = stopping.end("SIGTERM");
    await vi.waitFor(async () => {
      const ready = await fetch(`${url}/readyz`);
      expect([ready.status, await ready.json()]).toMatchObject([503, { status: "stopping" }]);
    }, STOPPED);
    await expect(Communicator.connect(`${sockets}/ws/notifications/`, await tokenFor("late"))).rejects.toMatchObject({
      status: 503,
      body: { error: { code: "unavailable" } },
    });
    const exit = await ended;
    const took = performance.now() - toldAt;
    const closings = await Promise.all(idle.map(({ closing }) => closing));
    const codes = [...closings.map(({ code }) => code), ...(await Promise.all(talkers.map(({ closed }) => closed)))];

    // Nobody else says these things: what is stored of them was stored before the end, and not echoed.
    const unanswered = talkers.flatMap((talker) => [...talker.unanswered.keys()]);
    const unheard = await cluster.query("select client_id from messages where client_id = any($1)", [unanswered]);
    const again: Frame[] = (await Promise.all(talkers.map((talker) => talker.sayAgain(staying)))).flat();
    const mendedAt = performance.now();
    await traffic.flows(30);
    await traffic.stop();
    const verdict = await judge(cluster, traffic, { deadline: 15_000, mendedAt });
    const lots = lotsOf(closings);
    const what = `${codes.length} sockets closed in ${lots.length} lots, ${unanswered.length} messages said again`;
    report(`SIGTERM under load: ended after ${(took / 1_000).toFixed(1)} s, ${what}`, traffic, verdict);

    expect(exit).toEqual({ code: 0, signal: null });
    expect(took).toBeLessThan(STOPPED);
    expect(new Set(codes)).toEqual(new Set([1012]));
    // As few as a machine that is busy with other things may see of sixty.
    expect(lots.length).toBeGreaterThan(10);
    expect((lots.at(-1)?.at ?? 0) - (lots[0]?.at ?? 0)).toBeGreaterThan(1_000);
    expect(unheard).toEqual([]);
    expect(unanswered.length).toBeGreaterThan(0);
    expect(again.filter(({ repeated }) => repeated)).toEqual([]);
    expect(verdict.faults).toEqual(noFaults);
  });
});

/** The first of each lot. */
function lotsOf(closings: readonly Closing[]): Closing[] {
  const inOrder = closings.toSorted((one, other) => one.at - other.at);
  return inOrder.filter(({ at }, index) => at - (inOrder[index - 1]?.at ?? -Infinity) > BETWEEN_LOTS);
}
