/** Short runs for tests. */
import type { Plan, Result, Workload } from "../../../bench/load/plan.ts";
import { Run } from "../../../bench/load/run.ts";
import { SECRET } from "../../support/stack.ts";

/** Milliseconds; what tests have lost on purpose is not waited for any longer. */
const DRAINING_DEADLINE = 300;
/** Where nothing is lost: what comes late on a busy machine is late. */
export const PATIENT = 20_000;

let runsSoFar = 0;

export function planFor(servers: readonly string[], workload: Workload, fields: Partial<Plan> = {}): Plan {
  runsSoFar += 1;
  return {
    wire: "channels",
    servers,
    secret: SECRET,
    prefix: `run${runsSoFar}`,
    workload,
    warmUp: 50,
    measure: 200,
    ...fields,
  };
}

/** `drainingDeadline`: milliseconds. */
export async function carryOut(plan: Plan, drainingDeadline = DRAINING_DEADLINE): Promise<Result> {
  const run = new Run(plan, drainingDeadline);
  try {
    await run.open();
    return await run.measure(() => {});
  } finally {
    await run.close();
  }
}
