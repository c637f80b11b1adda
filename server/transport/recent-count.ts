/** How often something happened within the last so many milliseconds. */
export class RecentCount {
  readonly #window: number;
  #times: number[] = [];

  constructor(window: number) {
    this.#window = window;
  }

  /** It happened once more, at `now`; how often within the window, this time included. */
  add(now: number): number {
    this.#times = this.#times.filter((time) => now - time <= this.#window);
    return this.#times.push(now);
  }
}
