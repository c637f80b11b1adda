export interface HeartbeatOptions {
  /** How long a quiet line is believed to be alive; 25,000 ms, less than the idle timeout of common proxies (60 s). */
  quiet?: number | undefined;
  /** How long an answer may take before the line is taken for dead; 10,000 ms. */
  patience?: number | undefined;
}

/** A timer that fires so late, in ms, says that the machine has slept, or the page was frozen. */
const SLEPT = 2_000;

/** A line on which nothing was heard is asked; one that does not answer is dead. */
export class Heartbeat {
  readonly patience: number;
  readonly #quiet: number;
  readonly #ask: () => void;
  readonly #dead: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer is to fire. */
  #due = 0;
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
    if (!this.#isAwaiting || this.#hasHeard) this.expectAnew();
  }

  /** The same, with all of the time from now on. */
  expectAnew(): void {
    this.#watch(true);
  }

  /** Somebody wants to know at once whether the line is alive. */
  check(): void {
    if (this.#isAwaiting && !this.#hasHeard) return;
    this.#watch(true);
    this.#ask();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#isAwaiting = false;
  }

  #watch(isAwaiting: boolean): void {
    clearTimeout(this.#timer);
    const time = isAwaiting ? this.patience : this.#quiet;
    this.#hasHeard = false;
    this.#isAwaiting = isAwaiting;
    this.#due = Date.now() + time;
    this.#timer = setTimeout(() => this.#judge(), time);
  }

  #judge(): void {
    // What was heard before a sleep says nothing of the line after it.
    const hasSlept = Date.now() - this.#due > SLEPT;
    if (this.#hasHeard && !hasSlept) this.#watch(false);
    else if (this.#isAwaiting && !this.#hasHeard) this.#dead();
    else this.check();
  }
}
