/** For how long a socket is not read from, because what came on it is yet to be paid for. */
export class Rest {
  /** The last ping that came meanwhile: answering that one alone is enough (RFC 6455, 5.5.3). */
  owedPong: Buffer | null = null;
  readonly #end: () => void;
  #until: number;
  #timer: NodeJS.Timeout;

  /** `wait` in milliseconds; `end` is called once, after it and whatever it was extended by, unless it is cancelled. */
  constructor(wait: number, end: () => void) {
    this.#end = end;
    this.#until = performance.now() + wait;
    this.#timer = this.#arm(wait);
  }

  /** Ends `wait` from now at the earliest. What was read before reading paused may bring thousands of these. */
  extend(wait: number): void {
    this.#until = Math.max(this.#until, performance.now() + wait);
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }

  #arm(wait: number): NodeJS.Timeout {
    return setTimeout(() => {
      const left = this.#until - performance.now();
      if (left > 0) this.#timer = this.#arm(left);
      else this.#end();
    }, wait).unref();
  }
}
