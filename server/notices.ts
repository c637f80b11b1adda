/** Lines in the log of what strangers cause: one now and then for each cause, however often it comes; at debug, each. */
import type { FastifyBaseLogger } from "fastify";

/** Milliseconds between two lines of one cause. */
const INTERVAL = 60_000;
/** Causes that are told apart in that time: where strangers choose them, the others are told at debug alone. */
const MAX_CAUSES = 50;

export class Notices {
  readonly #log: FastifyBaseLogger;
  readonly #now: () => number;
  /** When each was told last, in that order, and how often it came since. */
  readonly #told = new Map<string, { readonly at: number; unsaid: number }>();

  /** `now` in milliseconds and never running backwards. */
  constructor(log: FastifyBaseLogger, now = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** `times`: how often it came since it was told last, this time included. */
  tell(level: "info" | "warn", cause: string, fields: Record<string, unknown>, message: string): void {
    const now = this.#now();
    const known = this.#told.get(cause);
    if (known !== undefined && now - known.at < INTERVAL) {
      known.unsaid += 1;
      this.#log.debug(fields, message);
      return;
    }
    for (const [each, { at }] of this.#told) {
      if (now - at < INTERVAL) break;
      this.#told.delete(each);
    }
    if (this.#told.size >= MAX_CAUSES) {
      this.#log.debug(fields, message);
      return;
    }
    this.#told.delete(cause);
    this.#told.set(cause, { at: now, unsaid: 0 });
    this.#log[level]({ ...fields, times: (known?.unsaid ?? 0) + 1 }, message);
  }
}
