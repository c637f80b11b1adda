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
  readonly #buckets = new Map<string, { tokens: number; at: number }>();
  #sweptAt: number;

  /** `rate` per second; `now` in milliseconds and never running backwards. */
  constructor(rate: number, burst: number, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#burst = burst;
    this.#now = now;
    this.#sweptAt = now();
  }

  /** Takes one token: 0 when there was one, else the milliseconds until there is. */
  take(key: string): number {
    const now = this.#now();
    this.#forgetFull(now);
    const bucket = this.#buckets.get(key) ?? { tokens: this.#burst, at: now };
    bucket.tokens = this.#filled(bucket, now);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    const missing = 1 - RateLimit.#ROUNDING - bucket.tokens;
    if (missing > 0) return Math.ceil((missing / this.#rate) * 1000);
    bucket.tokens -= 1;
    return 0;
  }

  get size(): number {
    return this.#buckets.size;
  }

  #filled(bucket: { tokens: number; at: number }, now: number): number {
    return Math.min(this.#burst, bucket.tokens + ((now - bucket.at) / 1000) * this.#rate);
  }

  #forgetFull(now: number): void {
    if (now - this.#sweptAt < (this.#burst / this.#rate) * 1000) return;
    this.#sweptAt = now;
    for (const [key, bucket] of this.#buckets) {
      if (this.#filled(bucket, now) >= this.#burst) this.#buckets.delete(key);
    }
  }
}
