import { NumberTracker } from "./number-tracker.ts";

/** A read mark that storage knows may still be on its way here; this long, in ms, before it counts as missed. */
const PATIENCE = 1_000;

/** Which of a conversation's read marks were heard here, against what storage says there were. */
export class ReadsHeard {
  readonly #numbers = new NumberTracker();
  readonly #onMissed: () => void;
  #check: NodeJS.Timeout | null = null;

  constructor(onMissed: () => void) {
    this.#onMissed = onMissed;
  }

  start(reads: number): void {
    this.#numbers.start(reads);
  }

  take(reads: number): void {
    this.#numbers.take(reads);
  }

  compare(reads: number): void {
    if (this.#numbers.isUpTo(reads) || this.#check !== null) return;
    this.#check = setTimeout(() => {
      this.#check = null;
      if (this.#numbers.isUpTo(reads)) return;
      this.#numbers.start(reads);
      this.#onMissed();
    }, PATIENCE);
  }

  close(): void {
    if (this.#check !== null) clearTimeout(this.#check);
  }
}
