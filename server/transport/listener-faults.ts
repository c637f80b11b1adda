/** Milliseconds in which a kind of fault is logged once. */
const QUIET = 60_000;

export interface FaultLog {
  error(fields: object, message: string): void;
}

/**
 * Where listeners' faults end: a listener that throws has no part in what the others hear, nor in the commit that is being
 * told. Each kind is logged with its context once a minute, with how many there were.
 */
export class ListenerFaults {
  readonly #log: FaultLog;
  readonly #now: () => number;
  readonly #kinds = new Map<string, { loggedAt: number; unlogged: number }>();
  /** Since the start. */
  count = 0;

  constructor(log: FaultLog, now: () => number = Date.now) {
    this.#log = log;
    this.#now = now;
  }

  /** `kind` is one of a handful, such as the method that threw. */
  report(kind: string, error: unknown, context: object): void {
    this.count += 1;
    const known = this.#kinds.get(kind);
    const now = this.#now();
    if (known !== undefined && now - known.loggedAt < QUIET) {
      known.unlogged += 1;
      return;
    }
    this.#log.error({ ...context, kind, others: known?.unlogged ?? 0, err: error }, "a listener failed");
    this.#kinds.set(kind, { loggedAt: now, unlogged: 0 });
  }

  /** Calls what must not throw. */
  guard(kind: string, context: object, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.report(kind, error, context);
    }
  }
}
