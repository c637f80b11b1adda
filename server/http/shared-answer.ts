/** An answer that is worked out once for all who ask for it together, and for a while. */
export class SharedAnswer<T> {
  readonly #make: () => Promise<T>;
  readonly #lifetime: number;
  readonly #now: () => number;
  #answer: Promise<T> | null = null;
  /** Of the answer, once it is there. */
  #madeAt: number | null = null;

  /** `lifetime`: milliseconds. `now` in milliseconds and never running backwards. */
  constructor(make: () => Promise<T>, lifetime: number, now = () => performance.now()) {
    this.#make = make;
    this.#lifetime = lifetime;
    this.#now = now;
  }

  get(): Promise<T> {
    const isOld = this.#madeAt !== null && this.#now() - this.#madeAt >= this.#lifetime;
    if (this.#answer === null || isOld) {
      this.#madeAt = null;
      const answer = this.#make();
      const settle = () => {
        this.#madeAt = this.#now();
      };
      answer.then(settle, settle);
      this.#answer = answer;
    }
    return this.#answer;
  }
}
