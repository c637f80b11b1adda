/** A secret that a caller shows, judged in constant time, with a bound on how often an address may guess. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyBaseLogger } from "fastify";
import { clientNetwork } from "../client-network.ts";
import { Refusal } from "../core/errors.ts";
import { RateLimit } from "../core/rate.ts";

/** Wrong guesses of one client network: some at once, then so many a second. */
const GUESSES_AT_ONCE = 10;
const GUESSES_PER_SECOND = 1;
/** Client networks that are remembered; with more, those longest silent are forgotten. */
const MAX_NETWORKS = 10_000;
/** Milliseconds between two lines in the log. */
const LOG_INTERVAL = 60_000;

export class SharedSecret {
  readonly #name: string;
  readonly #expected: Buffer;
  readonly #now: () => number;
  readonly #guesses: RateLimit;
  #wrong = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;

  /** `name`: as the log calls it. `now` in milliseconds and never running backwards. */
  constructor(name: string, secret: string, now = () => performance.now()) {
    this.#name = name;
    this.#expected = digest(secret);
    this.#now = now;
    // What is charged below zero is a debt, and one guess is free of it.
    this.#guesses = new RateLimit(GUESSES_PER_SECOND, GUESSES_AT_ONCE - 1, now, MAX_NETWORKS);
  }

  /**
   * Whether it is the secret. Once an address has guessed too often nothing that it shows is looked at for a while.
   *
   * @throws Refusal `rate_limited`
   */
  accepts(shown: string | null, address: string | undefined, log: FastifyBaseLogger): boolean {
    const network = clientNetwork(address);
    const wait = this.#guesses.charge(network, 0);
    if (wait > 0)
      throw new Refusal("rate_limited", `too many wrong secrets; try again in ${wait} ms`, { retryAfter: wait });
    // Digests are of one length, and compared whole.
    if (shown !== null && timingSafeEqual(digest(shown), this.#expected)) return true;
    if (shown !== null) {
      this.#guesses.charge(network, 1);
      this.#tell(address, log);
    }
    return false;
  }

  #tell(address: string | undefined, log: FastifyBaseLogger): void {
    this.#wrong += 1;
    const now = this.#now();
    if (now - this.#loggedAt < LOG_INTERVAL) return;
    this.#loggedAt = now;
    log.warn({ address, wrong: this.#wrong }, `a wrong ${this.#name} was shown`);
  }
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
