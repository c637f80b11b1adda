/** Pixels from the end that still count as being there. */
const NEAR_END = 48;

/**
 * Keeps a scrolling box where its reader is: at the end as long as they are there, whatever grows or shrinks, and at the
 * same place when something is put above it.
 */
export class ScrollKeeper {
  readonly #box: HTMLElement;
  readonly #onMoved: (isAtEnd: boolean) => void;
  readonly #resizes: ResizeObserver;
  #isAtEnd = true;
  /** Where the box was put last: who is not above it has not scrolled away from the end, which has only moved on. */
  #put = 0;

  constructor(box: HTMLElement, content: HTMLElement, onMoved: (isAtEnd: boolean) => void) {
    this.#box = box;
    this.#onMoved = onMoved;
    this.#resizes = new ResizeObserver(this.settle);
    this.#resizes.observe(box);
    this.#resizes.observe(content);
    box.addEventListener("scroll", this.#moved, { passive: true });
  }

  /** Pixels from the top of what is in view to the end. */
  get distance(): number {
    return this.#box.scrollHeight - this.#box.scrollTop;
  }

  restore(distance: number): void {
    this.#box.scrollTop = this.#box.scrollHeight - distance;
  }

  toEnd(): void {
    this.#isAtEnd = true;
    this.#onMoved(true);
    this.settle();
  }

  /** Back to the end, for those who were there. */
  settle = (): void => {
    if (!this.#isAtEnd) return;
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#put = this.#box.scrollTop;
  };

  close(): void {
    this.#resizes.disconnect();
    this.#box.removeEventListener("scroll", this.#moved);
  }

  #moved = (): void => {
    const { scrollHeight, scrollTop, clientHeight } = this.#box;
    const isNearEnd = scrollHeight - scrollTop - clientHeight <= NEAR_END;
    // The event of a settling may come when there is more already.
    this.#isAtEnd = isNearEnd || (this.#isAtEnd && scrollTop >= this.#put);
    this.#onMoved(this.#isAtEnd);
  };
}
