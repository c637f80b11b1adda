export interface BackoffOptions {
  /** Milliseconds; 1,000 by default. */
  base?: number | undefined;
  /** Milliseconds; 30,000 by default. */
  max?: number | undefined;
}

/**
 * How long to wait, in ms, before the attempt that follows `failures` failed ones: exponential with full jitter, so that
 * clients that were cut off together do not come back together. Source: "Exponential Backoff And Jitter", AWS Architecture
 * Blog, 2015. `isCrowded`: there is no room before something else ends, so that it is the longer half of the maximum at once.
 */
export function backoff(
  failures: number,
  { base = 1_000, max = 30_000 }: BackoffOptions = {},
  isCrowded = false,
): number {
  return isCrowded ? (max * (1 + Math.random())) / 2 : Math.random() * Math.min(max, base * 2 ** failures);
}
