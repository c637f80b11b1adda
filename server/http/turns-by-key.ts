/** So many at a time for each key; the others wait, in the order they came, and of them there is a bound too. */

interface Line {
  running: number;
  /** Each is called when it is its turn. */
  readonly waiting: (() => void)[];
}

export class TurnsByKey<Key> {
  readonly #atATime: number;
  readonly #maxWaiting: number;
  readonly #lines = new Map<Key, Line>();

  constructor(atATime: number, maxWaiting: number) {
    this.#atATime = atATime;
    this.#maxWaiting = maxWaiting;
  }

  /** Keys of which anything runs or waits. */
  get size(): number {
    return this.#lines.size;
  }

  /**
   * Resolves when it is the caller's turn, who then calls `leave`; at once, with null, where too many wait already. To leave while
   * waiting gives the place in the line up.
   */
  enter(key: Key): { readonly turn: Promise<void> | null; readonly leave: () => void } | null {
    const line = this.#lines.get(key) ?? { running: 0, waiting: [] };
    this.#lines.set(key, line);
    if (line.running < this.#atATime) {
      line.running += 1;
      return { turn: null, leave: once(() => this.#finish(key, line)) };
    }
    if (line.waiting.length >= this.#maxWaiting) return null;
    let begin = () => {};
    let hasBegun = false;
    const turn = new Promise<void>((resolve) => {
      begin = () => {
        hasBegun = true;
        resolve();
      };
    });
    line.waiting.push(begin);
    const leave = once(() => {
      if (hasBegun) this.#finish(key, line);
      else line.waiting.splice(line.waiting.indexOf(begin), 1);
    });
    return { turn, leave };
  }

  /** What it leaves goes to the next, so that nobody who comes now is before them. */
  #finish(key: Key, line: Line): void {
    const next = line.waiting.shift();
    if (next !== undefined) next();
    else line.running -= 1;
    if (line.running === 0) this.#lines.delete(key);
  }
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    act();
  };
}
