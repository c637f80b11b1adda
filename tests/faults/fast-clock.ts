/** Preloaded into a process: its calendar is ten minutes ahead. Timers and `performance.now()` are as they were. */
const AHEAD = 10 * 60 * 1000;
const RealDate = Date;

class FastDate extends RealDate {
  constructor(...parts: [] | [number]) {
    super(...((parts.length === 0 ? [RealDate.now() + AHEAD] : parts) as [number]));
  }

  static override now(): number {
    return RealDate.now() + AHEAD;
  }
}

globalThis.Date = FastDate as DateConstructor;
