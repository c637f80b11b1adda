/** Contenders that carry messages, and what is measured of them. */
import { runLoad } from "../harness/load-process.ts";
import { type CpuSeconds, cpuSecondsOf } from "../harness/process-usage.ts";
import type { Contender, Figure, Ground, Run } from "../harness/scenario.ts";
import type { Plan, Result, Workload } from "../load/plan.ts";
import { type Program, type RunningProgram, SECRET, withProgram } from "./programs.ts";

export const MESSAGES: Figure = { key: "messagesPerSecond", title: "messages/s", digits: 0 };
export const DELIVERIES: Figure = { key: "deliveriesPerSecond", title: "deliveries/s", digits: 0 };
export const CPU_PER_MESSAGE: Figure = { key: "cpuPerMessage", title: "server CPU µs/message", digits: 1 };
export const CPU_PER_DELIVERY: Figure = { key: "cpuPerDelivery", title: "server CPU µs/delivery", digits: 2 };
export const ECHO_MEDIAN: Figure = { key: "echoMedian", title: "echo p50 ms", digits: 3 };
export const ECHO_P99: Figure = { key: "echoP99", title: "echo p99 ms", digits: 2 };
export const SERVER_BUSY: Figure = { key: "serverBusy", title: "server busy", digits: 2 };

export function planFor(program: Program, { urls }: RunningProgram, workload: Workload, { scale }: Ground): Plan {
  const { warmUp, measure } = scale;
  return { wire: program.wire, servers: urls, secret: SECRET, prefix: "bench", workload, warmUp, measure };
}

/** @param cpuSeconds of the servers, while measuring */
export function trafficFigures(result: Result, cpuSeconds: number): Record<string, number> {
  const { elapsed, messages, deliveries, latency } = result;
  return {
    messagesPerSecond: (messages / elapsed) * 1e3,
    deliveriesPerSecond: (deliveries / elapsed) * 1e3,
    cpuPerMessage: (cpuSeconds / messages) * 1e6,
    cpuPerDelivery: (cpuSeconds / deliveries) * 1e6,
    echoMedian: latency.p50,
    echoP99: latency.p99,
    serverBusy: (cpuSeconds / elapsed) * 1e3,
  };
}

/** What else is read of the servers; its figures are added. */
export interface Observation {
  /** Before the first message. */
  ready(running: RunningProgram): Promise<void>;
  /** After the last one has arrived everywhere. */
  done(running: RunningProgram): Promise<Record<string, number>>;
}

export interface TrafficOptions {
  /** Default: that of the program. */
  readonly name?: string;
  /** Default: 1. */
  readonly nodes?: number;
  /** Other traffic on the same server before, where the work by itself is too little for V8 to compile what it runs. */
  readonly before?: Workload;
  /** Made anew for each run. */
  readonly observe?: () => Observation;
}

export function trafficContender(program: Program, workload: Workload, options: TrafficOptions = {}): Contender {
  const { name = program.name, nodes = 1, before, observe } = options;
  return {
    name,
    needs: program.needs,
    run: async (ground) => {
      const faults: string[] = [];
      const carried = await withProgram(
        program,
        ground,
        faults,
        async (running) => {
          if (before !== undefined) faults.push(...(await carryBefore(planFor(program, running, before, ground))));
          return carry(running, planFor(program, running, workload, ground), observe?.());
        },
        { nodes },
      );
      return { ...carried, faults: [...carried.faults, ...faults] };
    },
  };
}

/** For as long as the warm-up; resolves with what was wrong. */
async function carryBefore(plan: Plan): Promise<readonly string[]> {
  return (await runLoad({ ...plan, prefix: "early", warmUp: 0, measure: plan.warmUp })).faults;
}

/** The traffic of the plan, measured. */
export async function carry(running: RunningProgram, plan: Plan, observation?: Observation): Promise<Run> {
  let before: CpuSeconds = { asked: 0, strangers: 0 };
  let after = before;
  let observed: Record<string, number> = {};
  const result = await runLoad(plan, {
    ready: async () => observation?.ready(running),
    measuring: () => {
      before = cpuSecondsOf(running.pids);
    },
    measured: () => {
      after = cpuSecondsOf(running.pids);
    },
    done: async () => {
      observed = (await observation?.done(running)) ?? {};
    },
  });
  const cpuSeconds = after.asked - before.asked;
  const strangers = after.strangers - before.strangers;
  return {
    figures: { ...trafficFigures(result, cpuSeconds), ...observed },
    faults: result.faults,
    loadBusy: result.busy,
    // The ticks of many processes do not add up to exactly those of the machine.
    strangersBusy: Math.max(0, (strangers / result.elapsed) * 1e3),
    raw: { cpuSeconds, strangers, result },
  };
}
