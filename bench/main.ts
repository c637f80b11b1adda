/** `npm run bench`: compares what Parley costs with what its peers cost, in one run on one machine. */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { rootFolder } from "../db/root-folder.ts";
import { leaveWill } from "../tests/support/last-will.ts";
import { type Arguments, parseArguments, USAGE, UsageError } from "./harness/arguments.ts";
import { pinThisProcess } from "./harness/cores.ts";
import { type BenchmarkOutcome, toJson, toMarkdown } from "./harness/report.ts";
import { scales } from "./harness/scales.ts";
import type { Ground, Scenario } from "./harness/scenario.ts";
import { faultsOf, runScenario, type ScenarioOutcome } from "./harness/schedule.ts";
import { findServices } from "./harness/services.ts";
import { describeEnvironment } from "./harness/versions.ts";
import { scenarios } from "./scenarios/scenarios.ts";

function readArguments(): Arguments {
  try {
    const names = scenarios.map((scenario) => scenario.name);
    return parseArguments(process.argv.slice(2), names);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return process.exit(2);
  }
}

function isAskedFor(only: Arguments["only"]): (scenario: Scenario) => boolean {
  return ({ name, onlyByName = false }) => (only === null ? !onlyByName : only.includes(name));
}

function say(line: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
}

async function measure({ mode, only }: Arguments): Promise<BenchmarkOutcome> {
  // First of all: what is started from here on stays off the servers' core.
  const pinning = pinThisProcess();
  if (pinning.status === "unpinned") say(`not pinned to cores: ${pinning.reason}`);
  const directory = await mkdtemp(join(tmpdir(), "parley-bench-"));
  const will = leaveWill(["rm", "-rf", directory]);
  const services = await findServices(process.env);
  try {
    const ground: Ground = { scale: scales[mode], services, pinning, directory };
    const environment = await describeEnvironment(services, pinning);
    const outcomes: ScenarioOutcome[] = [];
    for (const scenario of scenarios.filter(isAskedFor(only))) {
      outcomes.push(await runScenario(scenario, ground, say));
    }
    return { mode, isJudged: mode !== "smoke", environment, scenarios: outcomes };
  } finally {
    await Promise.all([services.release(), will.execute()]);
  }
}

if (process.platform !== "linux") {
  console.error("The benchmark reads CPU time and memory from /proc, which only Linux has.");
  process.exit(2);
}
const given = readArguments();
const outcome = await measure(given);
const date = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
const file = given.json ?? join(rootFolder(), "bench-results", `${date}.json`);
await mkdir(dirname(file), { recursive: true });
await writeFile(file, toJson(outcome));
say(`raw results: ${file}`);
console.log(toMarkdown(outcome));
// A ratio that is missed is a result; a message that is lost is none.
process.exitCode = outcome.scenarios.flatMap(faultsOf).length === 0 ? 0 : 1;
