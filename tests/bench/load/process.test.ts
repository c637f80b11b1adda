/** The load generator as the runner sees it: a process that is told a plan. */
import { type ChildProcess, fork } from "node:child_process";
import { on, once } from "node:events";
import { afterEach, expect, test } from "vitest";
import type { Order, Report } from "../../../bench/load/plan.ts";
import { planFor } from "./plans.ts";
import { startTamperingServer } from "./tampering-server.ts";

/** Ms; a process takes one or two seconds to start, and more on a loaded machine. */
const DEADLINE = 60_000;

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
});

function start(): { child: ChildProcess; order(order: Order): void; next(): Promise<Report> } {
  const child = fork("bench/load/main.ts", { execArgv: ["--import", "tsx"] });
  running.add(child);
  const reports = on(child, "message");
  return {
    child,
    order: (order) => {
      child.send(order);
    },
    next: async () => (await reports.next()).value[0],
  };
}

test("a plan is carried out, report by report", { timeout: DEADLINE }, async () => {
  const { child, order, next } = start();
  const plan = planFor([await startTamperingServer()], { kind: "pairs", pairs: 2, inFlight: 2, badges: true });
  order({ order: "plan", plan });
  expect(await next()).toEqual({ report: "ready" });
  order({ order: "go" });
  expect(await next()).toEqual({ report: "measuring" });
  expect(await next()).toEqual({ report: "measured" });
  const done = await next();
  expect(done).toMatchObject({ report: "done", result: { faults: [], latencies: [] } });
  order({ order: "stop" });
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("what cannot be opened is said", { timeout: DEADLINE }, async () => {
  const { child, order, next } = start();
  // A port that nobody listens on.
  order({ order: "plan", plan: planFor(["http://127.0.0.1:1"], { kind: "idle", sockets: 1 }) });
  expect(await next()).toEqual({ report: "failed", reason: expect.stringMatching(/^\/ws\/notifications\/: connect /) });
  order({ order: "stop" });
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("it does not outlive its runner", { timeout: DEADLINE }, async () => {
  const { child, order, next } = start();
  order({ order: "plan", plan: planFor([await startTamperingServer()], { kind: "idle", sockets: 1 }) });
  expect(await next()).toEqual({ report: "ready" });
  child.disconnect();
  expect(await once(child, "exit")).toEqual([0, null]);
});
