import { Refusal } from "./errors.ts";

/**
 * A token bucket for each key: `burst` at once, then `rate` a second. A full bucket is what a stranger has, so full ones
 * are forgotten and memory holds only those who were active in the last `burst / rate` seconds.
 */
export class RateLimit {
  /** Of a token: who waited as long as they were told must not be refused for the rounding of fractions. */
  static readonly #ROUNDING = 1e-9;

  readonly #rate: number;
  readonly #burst: number;
  readonly #now: () => number;
  readonly #maxKeys: number;
  /** The longest silent first. */
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /**
   * `rate` per second; `now` in milliseconds and never running backwards. Beyond `maxKeys`, which is for keys that
   * strangers choose, those longest silent are forgotten.
   */
  constructor(rate: number, burst: number, now = () => performance.now(), maxKeys = Number.POSITIVE_INFINITY) {
    this.#rate = rate;
    this.#burst = burst;
    this.#now = now;
    this.#maxKeys = maxKeys;
  }

  /** Takes one token: 0 when there was one, else the milliseconds until there is. */
  take(key: string): number {
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { tokens: this.#burst, at: now };
    bucket.tokens = Math.min(this.#burst, bucket.tokens + ((now - bucket.at) / 1000) * this.#rate);
    bucket.at = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    this.#forget(now);
    const missing = 1 - RateLimit.#ROUNDING - bucket.tokens;
    if (missing > 0) return Math.ceil((missing / this.#rate) * 1000);
    bucket.tokens -= 1;
    return 0;
  }

  /** Takes one token. `what`: of which there were too many. @throws Refusal `rate_limited` */
  spend(key: string, what: string): void {
    const wait = this.take(key);
    if (wait > 0) throw new Refusal("rate_limited", `too many ${what}; try again in ${wait} ms`, { retryAfter: wait });
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Those silent for as long as an empty bucket takes to fill have a full one. */
  #forget(now: number): void {
    const fullSince = now - (this.#burst / this.#rate) * 1000;
    for (const [key, { at }] of this.#buckets) {
      if (at > fullSince && this.#buckets.size <= this.#maxKeys) return;
      this.#buckets.delete(key);
    }
  }
}
