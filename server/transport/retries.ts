import type { Outage } from "../core/outage.ts";

/** Between two tries while storage or the layer does not answer, in ms. */
const RETRY = 1_000;

/** What failed and is tried again: each thing once, however often it failed meanwhile, and all of it together. */
export class Retries {
  readonly #outage: Outage;
  readonly #waiting = new Map<string, () => void>();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(outage: Outage) {
    this.#outage = outage;
  }

  /** `what` names the thing, so that it waits once. */
  add(what: string, context: object, retry: () => void): void {
    if (this.#isClosed) return;
    this.#outage.fails(context);
    this.#waiting.set(what, retry);
    this.#timer ??= setTimeout(() => this.#try(), RETRY).unref();
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #try(): void {
    this.#timer = null;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const retry of waiting) retry();
  }
}
