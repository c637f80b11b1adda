export interface OutageLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface OutageOptions {
  readonly log: OutageLog;
  /** Said at the first failure. */
  readonly begins: string;
  /** Said when it works again, with the number of failures. */
  readonly ends: string;
  /**
   * Milliseconds without a failure before something that works ends the outage; 0 by default. Where many do the same at
   * once, some of it may fail for as long as other parts work, and would be told of in turns.
   */
  readonly calm?: number;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** One line in the log when something begins to fail and one when it works again, however often it fails in between. */
export class Outage {
  readonly #options: OutageOptions;
  readonly #now: () => number;
  #failures = 0;
  #lastFailure = 0;

  constructor(options: OutageOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  get isOver(): boolean {
    return this.#failures === 0;
  }

  fails(fields: object): void {
    this.#failures += 1;
    this.#lastFailure = this.#now();
    if (this.#failures === 1) this.#options.log.warn(fields, this.#options.begins);
  }

  works(): void {
    if (this.#failures === 0 || this.#now() - this.#lastFailure < (this.#options.calm ?? 0)) return;
    this.#options.log.info({ failures: this.#failures }, this.#options.ends);
    this.#failures = 0;
  }
}
