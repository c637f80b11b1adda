/** Runs scenarios: every contender in every repetition, taking turns in going first. */

import type { Contender, Ground, Medians, Run, Scenario } from "./scenario.ts";
import type { Services } from "./services.ts";
import { medianOf } from "./statistics.ts";

export interface ContenderOutcome {
  readonly contender: string;
  /** One for each repetition. */
  readonly runs: readonly Run[];
}

export interface ScenarioOutcome {
  readonly scenario: Scenario;
  readonly contenders: readonly ContenderOutcome[];
  /** Contenders that could not be run here, and why. */
  readonly leftOut: readonly { readonly contender: string; readonly reason: string }[];
}

/**
 * The order of one repetition: each contender is first in its turn, so that a machine that grows slower or faster over the
 * minutes does so for all of them.
 */
export function turnsOf<T>(contenders: readonly T[], repetition: number): T[] {
  const first = repetition % Math.max(contenders.length, 1);
  return [...contenders.slice(first), ...contenders.slice(0, first)];
}

/** Why the contender cannot be run; null when it can. */
export function obstacleTo({ needs }: Contender, services: Services): string | null {
  const reasons = needs.flatMap((name) => {
    const service = services[name];
    return service.status === "missing" ? [`${name}: ${service.reason}`] : [];
  });
  return reasons.length === 0 ? null : reasons.join("; ");
}

/** `say`: lines of progress. A contender that fails is a fault of its run; the others go on. */
export async function runScenario(
  scenario: Scenario,
  ground: Ground,
  say: (line: string) => void,
): Promise<ScenarioOutcome> {
  const { repetitions } = ground.scale;
  const able = scenario.contenders.filter((contender) => obstacleTo(contender, ground.services) === null);
  const runs = new Map<string, Run[]>(able.map((contender) => [contender.name, []]));
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    for (const contender of turnsOf(able, repetition)) {
      const run = await runOnce(contender, ground);
      runs.get(contender.name)?.push(run);
      say(`${scenario.name} ${repetition + 1}/${repetitions} ${contender.name}: ${summaryOf(scenario, run)}`);
    }
  }
  return {
    scenario,
    contenders: [...runs].map(([contender, its]) => ({ contender, runs: its })),
    leftOut: scenario.contenders.flatMap((contender) => {
      const reason = obstacleTo(contender, ground.services);
      return reason === null ? [] : [{ contender: contender.name, reason }];
    }),
  };
}

async function runOnce(contender: Contender, ground: Ground): Promise<Run> {
  try {
    return await contender.run(ground);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { figures: {}, faults: [reason], loadBusy: null, strangersBusy: null, raw: null };
  }
}

function summaryOf({ figures }: Scenario, run: Run): string {
  const said = figures.flatMap(({ key, title, digits }) => {
    const value = run.figures[key];
    return value === undefined ? [] : [`${title} ${value.toFixed(digits)}`];
  });
  return [...said, ...run.faults.map((fault) => `WRONG: ${fault}`)].join(", ");
}

/** Of a contender, what it came to in each repetition that was right: nothing is measured by losing messages quickly. */
export function valuesOf(outcome: ScenarioOutcome, contender: string, figure: string): number[] {
  const runs = outcome.contenders.find((its) => its.contender === contender)?.runs ?? [];
  return runs.flatMap((run) => (run.faults.length === 0 ? (run.figures[figure] ?? []) : []));
}

export function mediansOf(outcome: ScenarioOutcome): Medians {
  return (contender, figure) => medianOf(valuesOf(outcome, contender, figure));
}

/** What was wrong, a line each. */
export function faultsOf(outcome: ScenarioOutcome): string[] {
  return outcome.contenders.flatMap(({ contender, runs }) =>
    runs.flatMap((run, index) =>
      run.faults.map((fault) => `${outcome.scenario.name}, ${contender}, repetition ${index + 1}: ${fault}`),
    ),
  );
}
