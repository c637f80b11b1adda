import type { TransportLimits } from "./transport.ts";

export const binaryFrame = Symbol("binary frame");
/** A text, or the mere news of a binary frame, whose content no dialect wants. */
export type ReceivedFrame = string | typeof binaryFrame;

/** Frames of one socket that were received and wait for its consumer, in order. */
export class Inbox {
  readonly #limits: TransportLimits;
  /** Those before `#next` were handed over. */
  #frames: ReceivedFrame[] = [];
  #next = 0;
  /** UTF-16 units of the texts that wait; no text has more of them than its frame had bytes. */
  #units = 0;

  constructor(limits: TransportLimits) {
    this.#limits = limits;
  }

  /** More than may wait: reading is to pause. */
  get isFull(): boolean {
    const { maxWaitingFrames, maxWaitingBytes } = this.#limits;
    return this.#frames.length - this.#next >= maxWaitingFrames || this.#units >= maxWaitingBytes;
  }

  push(frame: ReceivedFrame): void {
    this.#frames.push(frame);
    this.#units += unitsOf(frame);
  }

  shift(): ReceivedFrame | undefined {
    const frame = this.#frames[this.#next];
    if (frame === undefined) return undefined;
    this.#next += 1;
    this.#units -= unitsOf(frame);
    // Half of it is room that was used: moving the rest down costs each frame one step, however many wait.
    if (this.#next * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#next);
      this.#next = 0;
    }
    return frame;
  }
}

function unitsOf(frame: ReceivedFrame): number {
  return frame === binaryFrame ? 0 : frame.length;
}
