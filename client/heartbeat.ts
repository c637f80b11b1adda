export interface HeartbeatOptions {
  /** How long a quiet line is believed to be alive; 25,000 ms, less than the idle timeout of common proxies (60 s). */
  quiet?: number | undefined;
  /** How long an answer may take before the line is taken for dead; 10,000 ms. */
  patience?: number | undefined;
}

/** A line on which nothing was heard is asked; one that does not answer is dead. */
export class Heartbeat {
  readonly patience: number;
  readonly #quiet: number;
  readonly #ask: () => void;
  readonly #dead: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Something came in since the timer was set. */
  #hasHeard = false;
  /** An answer is awaited until the timer fires. */
  #isAwaiting = false;

  constructor({ quiet = 25_000, patience = 10_000 }: HeartbeatOptions, ask: () => void, dead: () => void) {
    this.patience = patience;
    this.#quiet = quiet;
    this.#ask = ask;
    this.#dead = dead;
  }

  heard(): void {
    this.#hasHeard = true;
  }

  /** From now on something is to come in. */
  expect(): void {
    if (!this.#isAwaiting || this.#hasHeard) this.#watch(true);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#isAwaiting = false;
  }

  #watch(isAwaiting: boolean): void {
    clearTimeout(this.#timer);
    this.#hasHeard = false;
    this.#isAwaiting = isAwaiting;
    this.#timer = setTimeout(() => this.#judge(), isAwaiting ? this.patience : this.#quiet);
  }

  #judge(): void {
    if (this.#hasHeard) this.#watch(false);
    else if (this.#isAwaiting) this.#dead();
    else {
      this.#watch(true);
      this.#ask();
    }
  }
}
