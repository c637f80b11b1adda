/** The load generator, as a process of its own beside the servers. */
import { fork } from "node:child_process";
import { on } from "node:events";
import { fileURLToPath } from "node:url";
import type { Order, Plan, Report, Result } from "../load/plan.ts";

/** What is read from the servers while the load generator waits, or goes on: `measuring` and `measured` had better be quick. */
export interface LoadMoments {
  /** All sockets are open; nothing is sent before this resolves. */
  ready?(): Promise<void>;
  measuring?(): void;
  measured?(): void;
  /** Everything has arrived; nothing is closed before this resolves. */
  done?(): Promise<void>;
}

/** Milliseconds beside those of the plan: opening thousands of sockets, waiting for what is under way, closing. */
const DEADLINE = 150_000;

/** Rejects when the load generator could not do what the plan says; what it found wrong is in the result. */
export async function runLoad(plan: Plan, moments: LoadMoments = {}): Promise<Result> {
  const child = fork(fileURLToPath(new URL("../load/main.js", import.meta.url)), { execArgv: [] });
  const ended = new AbortController();
  const exit = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      ended.abort(new Error(`the load generator ended with ${code ?? signal}`));
      resolve();
    });
  });
  const deadline = setTimeout(() => child.kill("SIGKILL"), plan.warmUp + plan.measure + DEADLINE);
  const order = (message: Order) => child.send(message);
  try {
    const reports = on(child, "message", { signal: ended.signal });
    order({ order: "plan", plan });
    for await (const [report] of reports as AsyncIterableIterator<[Report]>) {
      switch (report.report) {
        case "ready":
          await moments.ready?.();
          order({ order: "go" });
          break;
        case "measuring":
          moments.measuring?.();
          break;
        case "measured":
          moments.measured?.();
          break;
        case "done":
          await moments.done?.();
          order({ order: "stop" });
          await exit;
          return report.result;
        case "failed":
          throw new Error(`the load generator: ${report.reason}`);
      }
    }
    throw new Error("the load generator fell silent");
  } catch (error) {
    child.kill("SIGKILL");
    throw ended.signal.aborted ? ended.signal.reason : error;
  } finally {
    clearTimeout(deadline);
  }
}
