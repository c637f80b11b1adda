import { ParleyError } from "./errors.ts";

/** Frames that an iterator keeps for a loop that is slower than the line. */
const MAX_KEPT = 10_000;

type Step<Frame> = IteratorResult<Frame, undefined>;

/** What a `for await` walks: every frame from its making on, in order. */
export class FrameIterator<Frame> implements AsyncIterableIterator<Frame, undefined> {
  #frames: Frame[] = [];
  #waiting: { resolve: (step: Step<Frame>) => void; reject: (error: Error) => void }[] = [];
  #end: { error: Error | null } | null = null;
  readonly #release: () => void;

  /** `release` is called once, when the iterator needs no more frames. */
  constructor(release: () => void) {
    this.#release = release;
  }

  push(frame: Frame): void {
    if (this.#end !== null) return;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve({ done: false, value: frame });
    else if (this.#frames.push(frame) > MAX_KEPT) {
      this.end(new ParleyError("interrupted", `the loop is more than ${MAX_KEPT} frames behind`));
    }
  }

  /** What was heard before is still given out; then the loop ends, or throws. */
  end(error: Error | null): void {
    if (this.#end !== null) return;
    this.#end = { error };
    this.#release();
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (error === null) resolve({ done: true, value: undefined });
      else reject(error);
    }
  }

  next(): Promise<Step<Frame>> {
    const [frame] = this.#frames.splice(0, 1);
    if (frame !== undefined) return Promise.resolve({ done: false, value: frame });
    if (this.#end === null) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    const { error } = this.#end;
    // A loop that goes on after it was told ends.
    this.#end = { error: null };
    return error === null ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error);
  }

  return(): Promise<Step<Frame>> {
    this.#frames = [];
    this.end(null);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
