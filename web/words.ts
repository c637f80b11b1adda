/** `3 messages`, `1 message`. */
export function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `alice`, `alice and bob`, `alice, bob and 3 more`; for where a text alone can stand. */
export function listOf(names: readonly string[]): string {
  const plain = names.map(plainName);
  if (plain.length <= 2) return plain.join(" and ");
  const [first, second, ...others] = plain;
  return `${first}, ${second} and ${others.length} more`;
}

/** Characters that turn the text around them: embeddings, overrides and isolates, and the marks. */
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** A letter that is written from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * A name for the middle of a text that takes no elements: a title, a label, an announcement. There no `bdi` can keep what it
 * holds from turning the words around it.
 */
export function plainName(name: string): string {
  const plain = name.replace(TURNING, "");
  return RIGHT_TO_LEFT.test(plain) ? `\u2068${plain}\u2069` : plain;
}
