import { Refusal } from "./errors.ts";

/** A key's bucket, in the list of all of them by last use. */
interface Bucket {
  readonly key: string;
  /** Below zero: a debt, which is paid off at the rate before there is anything to take again. */
  tokens: number;
  /** Of its last use, in milliseconds. */
  at: number;
  older: Bucket | null;
  newer: Bucket | null;
}

/**
 * A token bucket for each key: `burst` at once, then `rate` a second. A full bucket is what a stranger has, so full ones
 * are forgotten and memory holds only those who were active lately.
 *
 * What costs more than one token may be done as soon as there is one, and is paid off afterwards: so nothing is too dear to
 * be done at all, and over any time no more is done than the rate pays for.
 */
export class RateLimit {
  /** Of a token: who waited as long as they were told must not be refused for the rounding of fractions. */
  static readonly #ROUNDING = 1e-9;

  readonly #rate: number;
  readonly #burst: number;
  readonly #now: () => number;
  readonly #maxKeys: number;
  readonly #buckets = new Map<string, Bucket>();
  /** The ends of the list. A Map keeps an order too, but finds its first entry only by passing over all that were deleted. */
  #oldest: Bucket | null = null;
  #newest: Bucket | null = null;

  /**
   * `rate` per second; `now` in milliseconds and never running backwards. Beyond `maxKeys`, which bounds memory where
   * strangers choose the keys, those longest silent are forgotten.
   */
  constructor(rate: number, burst: number, now = () => performance.now(), maxKeys = MAX_KEYS) {
    this.#rate = rate;
    this.#burst = burst;
    this.#now = now;
    this.#maxKeys = maxKeys;
  }

  /** Takes `cost` tokens if there is one, and is 0 then; else the milliseconds until there is one. */
  take(key: string, cost = 1): number {
    const bucket = this.#filled(key);
    const missing = 1 - RateLimit.#ROUNDING - bucket.tokens;
    if (missing > 0) return Math.ceil((missing / this.#rate) * 1000);
    bucket.tokens -= cost;
    return 0;
  }

  /** Takes `cost` tokens whether they are there or not. The milliseconds until the debt is paid; 0: there is none. */
  charge(key: string, cost: number): number {
    const bucket = this.#filled(key);
    bucket.tokens -= cost;
    const missing = -RateLimit.#ROUNDING - bucket.tokens;
    return missing > 0 ? Math.ceil((missing / this.#rate) * 1000) : 0;
  }

  /** Takes `cost` tokens if there is one. `what`: of which there were too many. @throws Refusal `rate_limited` */
  spend(key: string, what: string, cost = 1): void {
    const wait = this.take(key, cost);
    if (wait > 0) throw tooMany(what, wait);
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** The bucket with all that came into it by now, as the one used last. */
  #filled(key: string): Bucket {
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { key, tokens: this.#burst, at: now, older: null, newer: null };
    bucket.tokens = this.#tokensIn(bucket, now);
    bucket.at = now;
    if (bucket !== this.#newest) {
      this.#unlink(bucket);
      this.#append(bucket);
      this.#buckets.set(key, bucket);
    }
    this.#forget(now);
    return bucket;
  }

  #tokensIn({ tokens, at }: Bucket, now: number): number {
    return Math.min(this.#burst, tokens + ((now - at) / 1000) * this.#rate);
  }

  /**
   * Those silent for as long as an empty bucket takes to fill have a full one, unless they were in debt. From the longest
   * silent on, up to the first that is not full; never the one in use.
   */
  #forget(now: number): void {
    const emptyThen = now - (this.#burst / this.#rate) * 1000;
    let bucket = this.#oldest;
    while (bucket !== null && bucket !== this.#newest) {
      const isFull = bucket.at <= emptyThen && this.#tokensIn(bucket, now) >= this.#burst;
      if (!isFull && this.#buckets.size <= this.#maxKeys) return;
      const { newer } = bucket;
      this.#unlink(bucket);
      this.#buckets.delete(bucket.key);
      bucket = newer;
    }
  }

  #append(bucket: Bucket): void {
    bucket.older = this.#newest;
    bucket.newer = null;
    if (this.#newest === null) this.#oldest = bucket;
    else this.#newest.newer = bucket;
    this.#newest = bucket;
  }

  #unlink(bucket: Bucket): void {
    if (bucket.older !== null) bucket.older.newer = bucket.newer;
    else if (this.#oldest === bucket) this.#oldest = bucket.newer;
    if (bucket.newer !== null) bucket.newer.older = bucket.older;
    else if (this.#newest === bucket) this.#newest = bucket.older;
  }
}

/** `wait`: milliseconds until the same may succeed. */
export function tooMany(what: string, wait: number): Refusal {
  return new Refusal("rate_limited", `too many ${what}; try again in ${wait} ms`, { retryAfter: wait });
}

/** Buckets that are kept, in some 15 MB, where nobody says otherwise. */
const MAX_KEYS = 100_000;
