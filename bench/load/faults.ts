/** What was found wrong, one line each: the first of them, and how many there were. */
const MAX_LINES = 20;

export class Faults {
  readonly #lines: string[] = [];
  #count = 0;

  add(line: string): void {
    this.#count += 1;
    if (this.#lines.length < MAX_LINES - 1) this.#lines.push(line);
  }

  get lines(): readonly string[] {
    const more = this.#count - this.#lines.length;
    return more === 0 ? this.#lines : [...this.#lines, `and ${more} more`];
  }
}
