/** `npm run test:soak -- --minutes 10 --seed 7`: a steady load with faults at random, judged at its end. See docs/reliability.md. */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";

const USAGE = "npm run test:soak -- [--minutes <whole number from 1>] [--seed <whole number>]";

function wholeNumber(name: string, text: string, minimum: number): string {
  if (/^\d{1,9}$/.test(text) && Number(text) >= minimum) return text;
  console.error(`--${name} ${text}: expected a whole number from ${minimum}\n${USAGE}`);
  return process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({ options: { minutes: { type: "string" }, seed: { type: "string" } } }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    return process.exit(2);
  }
}

const { minutes = "10", seed = `${randomInt(1_000_000)}` } = readArguments();
const settings = { SOAK_MINUTES: wholeNumber("minutes", minutes, 1), SOAK_SEED: wholeNumber("seed", seed, 0) };

// Without PostgreSQL and Redis there would be nothing to test, and a skipped soak is no soak.
const child = spawn("npx", ["vitest", "run", "--config", "vitest.soak.config.ts"], {
  stdio: "inherit",
  env: { ...process.env, ...settings, REQUIRE_SERVICES: "1" },
});
child.once("exit", (code) => process.exit(code ?? 1));
