import type { FeedLog } from "./conversation-listener.ts";

/** Milliseconds in which they are logged once. */
const QUIET = 60_000;

/** Payloads of other nodes that could not be read, or not wholly: counted, and told once in a while. */
export class UnreadablePayloads {
  readonly #log: Pick<FeedLog, "warn">;
  /** Since the start. */
  count = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(log: Pick<FeedLog, "warn">) {
    this.#log = log;
  }

  add(group: string): void {
    this.count += 1;
    const now = Date.now();
    if (now - this.#loggedAt < QUIET) return;
    this.#loggedAt = now;
    const fields = { group, soFar: this.count };
    this.#log.warn(fields, "a payload on the channel layer cannot be read; storage is asked for what it said");
  }
}
