/**
 * A line for work that nobody waits for: re-reading, of which a reset of the channel layer brings a piece for each
 * conversation and user at once. Some of it runs at a time, the rest takes its turn in the order in which it came; so
 * storage and layer always have room for those who do wait.
 */
export class Turns {
  readonly #atOnce: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(atOnce: number = AT_ONCE) {
    this.#atOnce = atOnce;
  }

  /** Settles as `work` does, which begins when its turn has come: at once when there is room. */
  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#atOnce) this.#running += 1;
    else await new Promise<void>((begin) => this.#waiting.add(begin));
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  /** Whose work is done gives their place to the first in the line. */
  #pass(): void {
    for (const begin of this.#waiting) {
      this.#waiting.delete(begin);
      begin();
      return;
    }
    this.#running -= 1;
  }
}

/** Pieces of work that run together. */
const AT_ONCE = 16;
