/** What the command line asks for. */
import { parseArgs } from "node:util";

/** `smoke` runs everything for a moment, to see that it works, and judges nothing. */
export type Mode = "full" | "quick" | "smoke";

export interface Arguments {
  readonly mode: Mode;
  /** Names of scenarios; null: all of them. */
  readonly only: readonly string[] | null;
  /** File for the raw results; null: one named after the date. */
  readonly json: string | null;
}

/** For a person to read: what is wrong with the command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `npm run bench -- [--quick | --smoke] [--only <scenario,…>] [--json <file>]

  --quick   one shorter repetition of each scenario
  --smoke   each scenario for a moment, without judgement: that everything works
  --only    these scenarios alone, between commas; ten-thousand and bystander run only when named here
  --json    where the raw results go; default: bench-results/<date>.json`;

/**
 * @param parameters the command line, without node and the script
 * @param scenarios the names there are
 * @throws UsageError
 */
export function parseArguments(parameters: readonly string[], scenarios: readonly string[]): Arguments {
  const { quick, smoke, only, json } = optionsOf(parameters);
  if (quick && smoke) throw new UsageError("--quick and --smoke: only one of them may be given");
  if (json === "") throw new UsageError("--json: expected the name of a file");
  return {
    mode: quick ? "quick" : smoke ? "smoke" : "full",
    only: only === undefined ? null : namesIn(only, scenarios),
    json: json ?? null,
  };
}

function optionsOf(parameters: readonly string[]) {
  try {
    return parseArgs({
      args: [...parameters],
      options: {
        quick: { type: "boolean", default: false },
        smoke: { type: "boolean", default: false },
        only: { type: "string" },
        json: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function namesIn(only: string, scenarios: readonly string[]): string[] {
  const names = only
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0) throw new UsageError("--only: expected names of scenarios between commas");
  const unknown = names.filter((name) => !scenarios.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(`--only: no such scenario: ${unknown.join(", ")}. There are ${scenarios.join(", ")}`);
  }
  return names;
}
