/**
 * How much is tried, and from which seed. `FUZZ_CASES`: cases in all, shared out over the fuzzed parts and the two
 * foundations; 5,000 without it. `FUZZ_SEED`: a whole number, the one in the title of a test that failed; random without it.
 */
import fc from "fast-check";

const DEFAULT_CASES = 5_000;

/** How many of a hundred cases each part gets. */
const SHARES = { frames: 60, http: 25, handshake: 15 } as const;

const FOUNDATIONS = 2;

/** How many cases are tried at the same time, on many connections. */
export const BATCH = 25;

/** Milliseconds: ends what hangs, in a long run too. */
export const FUZZ_TIMEOUT = 60_000 + wholeNumber("FUZZ_CASES", DEFAULT_CASES) * 60;

export const seed = wholeNumber("FUZZ_SEED", Math.floor(Math.random() * 2 ** 31));

/** Says in a title how the very same cases are tried again. */
export function title(part: keyof typeof SHARES, sentence: string): string {
  return `${sentence} (${casesFor(part)} cases, FUZZ_SEED=${seed})`;
}

function casesFor(part: keyof typeof SHARES): number {
  const cases = (wholeNumber("FUZZ_CASES", DEFAULT_CASES) * SHARES[part]) / 100 / FOUNDATIONS;
  return Math.max(1, Math.ceil(cases / BATCH)) * BATCH;
}

/** Tries the part's cases, a batch at a time. Whoever throws says which case it was: there is nothing to shrink. */
export async function fuzz<Case>(
  part: keyof typeof SHARES,
  aCase: fc.Arbitrary<Case>,
  tryAll: (cases: readonly Case[]) => Promise<void>,
): Promise<void> {
  const batch = fc.array(aCase, { minLength: BATCH, maxLength: BATCH });
  const numRuns = casesFor(part) / BATCH;
  // Not `assert`, whose message would have all the cases of the batch in it.
  const { errorInstance } = await fc.check(fc.asyncProperty(batch, tryAll), { seed, numRuns, endOnFailure: true });
  if (errorInstance !== null) throw errorInstance;
}

function wholeNumber(name: string, standard: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return standard;
  if (!/^\d{1,10}$/.test(text)) throw new Error(`${name}: expected a whole number`);
  return Number(text);
}
