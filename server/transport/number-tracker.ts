/** Numbers kept beyond a gap; those heard past it count as missed, which whoever compares will notice. */
const MAX_AHEAD = 1_000;

/** Which of the numbers 1, 2, 3, … were heard, in whatever order they came: the highest without a gap, and those beyond. */
export class NumberTracker {
  #contiguous = 0;
  readonly #ahead = new Set<number>();

  start(number: number): void {
    this.#contiguous = number;
    for (const ahead of this.#ahead) if (ahead <= number) this.#ahead.delete(ahead);
    this.#advance();
  }

  take(number: number): void {
    if (number <= this.#contiguous) return;
    if (number > this.#contiguous + 1 && this.#ahead.size >= MAX_AHEAD) return;
    this.#ahead.add(number);
    this.#advance();
  }

  /** Whether everything up to `number` was heard. */
  isUpTo(number: number): boolean {
    return this.#contiguous >= number;
  }

  #advance(): void {
    while (this.#ahead.delete(this.#contiguous + 1)) this.#contiguous += 1;
  }
}
