/** One build at a time in a checkout, however many servers are started from it. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * Milliseconds without a sign of life after which the holder counts as dead. Far above what a loaded machine delays one; who
 * ends gives the lock back at once.
 */
const STALE = 60_000;
/** Attempts, 100 to 1,000 ms apart: in all some ten minutes, far longer than a build takes. */
const RETRIES = { retries: 600, factor: 1.2, minTimeout: 100, maxTimeout: 1_000 };
/** Set for what the holder runs: it has the lock already. */
const HELD = "PARLEY_BUILD_LOCK_HELD";

/**
 * Runs `work` while this process, or the one that it was started by, holds the lock.
 *
 * @template Result
 * @param {string} root the checkout
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function holdBuildLock(root, work) {
  if (process.env[HELD] !== undefined) return work();
  const { lock } = await import("proper-lockfile");
  const lockfilePath = join(root, "node_modules/.cache/parley-build.lock");
  await mkdir(join(root, "node_modules/.cache"), { recursive: true });
  const release = await lock(root, {
    lockfilePath,
    stale: STALE,
    retries: RETRIES,
    onCompromised: (error) => console.error(error.message),
  });
  process.env[HELD] = "1";
  try {
    return await work();
  } finally {
    delete process.env[HELD];
    await release();
  }
}
