/** Reading of JSON as bytes: two or three values of a frame are wanted, 300,000 times a second. */

const ZERO = 0x30;

export function bytesOf(word: string): Uint8Array {
  return Uint8Array.from(Buffer.from(word, "latin1"));
}

/** Whether `word` stands at `offset`, and before `end`. */
export function matches(bytes: Buffer, offset: number, end: number, word: Uint8Array): boolean {
  if (offset < 0 || offset + word.length > end) return false;
  for (let index = 0; index < word.length; index += 1) {
    if (bytes[offset + index] !== word[index]) return false;
  }
  return true;
}

/**
 * Finds the value of a key. A quote inside a JSON string is escaped, so `"key":` is a key wherever it stands; the frames
 * that are read here have each key once. It is looked for first where it was the last time, counted from the frame's
 * beginning and from its end.
 */
export class FieldScanner {
  readonly #key: Uint8Array;
  #fromStart = 0;
  #fromEnd = 0;

  /** `opening`: what the value begins with, such as a quote. */
  constructor(key: string, opening = "") {
    this.#key = bytesOf(`"${key}":${opening}`);
  }

  /** Where the value begins, after its `opening`; -1 when there is none. */
  find(bytes: Buffer, start: number, end: number): number {
    const key = this.#key;
    if (matches(bytes, start + this.#fromStart, end, key)) return start + this.#fromStart + key.length;
    const fromEnd = end - this.#fromEnd;
    if (fromEnd >= start && matches(bytes, fromEnd, end, key)) return fromEnd + key.length;
    const first = key[0];
    const last = end - key.length;
    for (let offset = start; offset <= last; offset += 1) {
      if (bytes[offset] !== first || !matches(bytes, offset, end, key)) continue;
      this.#fromStart = offset - start;
      this.#fromEnd = end - offset;
      return offset + key.length;
    }
    return -1;
  }
}

/** The digits at `offset` as a number; -1 when there are none. */
export function wholeNumberAt(bytes: Buffer, offset: number, end: number): number {
  let value = -1;
  for (let index = offset; index < end; index += 1) {
    const digit = (bytes[index] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value < 0 ? digit : value * 10 + digit;
  }
  return value;
}
