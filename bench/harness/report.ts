/** What a run of the benchmark came to, as Markdown for people and as JSON for programs. */
import { describeGoal, judge, type Verdict } from "./judgement.ts";
import type { Figure } from "./scenario.ts";
import { faultsOf, mediansOf, type ScenarioOutcome, valuesOf } from "./schedule.ts";
import { spreadOf } from "./statistics.ts";
import type { Environment } from "./versions.ts";

export interface BenchmarkOutcome {
  readonly mode: string;
  /** Whether the ratios are compared with their goals. */
  readonly isJudged: boolean;
  readonly environment: Environment;
  readonly scenarios: readonly ScenarioOutcome[];
}

/** Share of a core at which the load generator may have been what held a contender back. */
const LOAD_IS_BUSY = 0.9;
/** Cores that others may take before figures are to be doubted. */
const STRANGERS_ARE_BUSY = 0.1;

/** Markdown. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [header, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = header.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width)).join(" | ")} |`;
  const [head = [], ...body] = cells;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body.map(line)].join("\n");
}

/** The median, and between which values it lies where there are several. */
export function describeValues(values: readonly number[], digits: number): string {
  if (values.length === 0) return "–";
  const { median, min, max } = spreadOf(values);
  const middle = median.toFixed(digits);
  return values.length === 1 ? middle : `${middle} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

export function toMarkdown(outcome: BenchmarkOutcome): string {
  const faults = outcome.scenarios.flatMap(faultsOf);
  return [
    `# Benchmark (${outcome.mode})`,
    table(["", ""], outcome.environment),
    ...outcome.scenarios.map(figuresOf),
    "## Ratios",
    ratioTable(outcome),
    "## Checks",
    faults.length === 0
      ? "Every run was right: nothing lost, doubled or out of order, every badge exact."
      : `${faults.length} wrong:\n\n${faults.map((fault) => `- ${fault.replaceAll("\n", "\n  ")}`).join("\n")}`,
    ...(outcome.isJudged ? notesOf(outcome.scenarios) : []),
  ].join("\n\n");
}

function figuresOf(outcome: ScenarioOutcome): string {
  const { name, work, figures } = outcome.scenario;
  const rows = outcome.contenders.map(({ contender }) => [
    contender,
    ...figures.map((figure) => cellOf(outcome, contender, figure)),
    describeValues(sharesOf(outcome, contender, "loadBusy"), 2),
    describeValues(sharesOf(outcome, contender, "strangersBusy"), 2),
  ]);
  const leftOut = outcome.leftOut.map(({ contender, reason }) => `\n\n${contender} left out: ${reason}`);
  const header = ["", ...figures.map((figure) => figure.title), "load busy", "others busy"];
  return `## ${name}\n\n${work}\n\n${table(header, rows)}${leftOut.join("")}`;
}

function cellOf(outcome: ScenarioOutcome, contender: string, { key, digits }: Figure): string {
  return describeValues(valuesOf(outcome, contender, key), digits);
}

type Share = "loadBusy" | "strangersBusy";

function sharesOf(outcome: ScenarioOutcome, contender: string, share: Share): number[] {
  const runs = outcome.contenders.find((its) => its.contender === contender)?.runs ?? [];
  return runs.flatMap((run) => run[share] ?? []);
}

export interface JudgedRatio {
  readonly scenario: string;
  readonly title: string;
  /** NaN: not measured. */
  readonly measured: number;
  readonly goal: string;
  readonly verdict: Verdict | "not judged";
}

export function ratiosOf({ scenarios, isJudged }: BenchmarkOutcome): JudgedRatio[] {
  return scenarios.flatMap((outcome) =>
    outcome.scenario.ratios.map((ratio) => {
      const measured = ratio.of(mediansOf(outcome));
      return {
        scenario: outcome.scenario.name,
        title: ratio.title,
        measured,
        goal: describeGoal(ratio.goal),
        verdict: isJudged ? judge(measured, ratio.goal) : "not judged",
      };
    }),
  );
}

function ratioTable(outcome: BenchmarkOutcome): string {
  const rows = ratiosOf(outcome).map(({ scenario, title, measured, goal, verdict }) => {
    return [scenario, title, Number.isNaN(measured) ? "–" : measured.toFixed(3), goal, verdict];
  });
  return table(["scenario", "ratio", "measured", "goal", ""], rows);
}

/** What to think of before a figure is believed. */
function notesOf(scenarios: readonly ScenarioOutcome[]): string[] {
  const loads = contendersAbove(scenarios, "loadBusy", LOAD_IS_BUSY);
  const strangers = contendersAbove(scenarios, "strangersBusy", STRANGERS_ARE_BUSY);
  return [
    ...(loads === "" ? [] : [`The load generator had no time to spare in ${loads}: more may be possible there.`]),
    ...(strangers === "" ? [] : [`The machine was busy with something else in ${strangers}: run it again.`]),
  ];
}

function contendersAbove(scenarios: readonly ScenarioOutcome[], share: Share, limit: number): string {
  const names = scenarios.flatMap((outcome) =>
    outcome.contenders
      .filter(({ contender }) => Math.max(0, ...sharesOf(outcome, contender, share)) >= limit)
      .map(({ contender }) => `${outcome.scenario.name} (${contender})`),
  );
  return names.join(", ");
}

/** Everything, each run with what it was made from. */
export function toJson(outcome: BenchmarkOutcome): string {
  const { mode, environment, scenarios } = outcome;
  const content = {
    mode,
    environment: Object.fromEntries(environment),
    ratios: ratiosOf(outcome),
    scenarios: scenarios.map(({ scenario, contenders, leftOut }) => ({ name: scenario.name, contenders, leftOut })),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}
