/** `3 messages`, `1 message`. */
export function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `alice`, `alice and bob`, `alice, bob and 3 more`. */
export function listOf(names: readonly string[]): string {
  if (names.length <= 2) return names.join(" and ");
  const [first, second, ...others] = names;
  return `${first}, ${second} and ${others.length} more`;
}
