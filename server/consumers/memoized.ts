/** A dialect's schemas are built once for a server's limits, not for each socket. */
export function memoized<Limits extends object, Result>(build: (limits: Limits) => Result): (limits: Limits) => Result {
  const built = new WeakMap<Limits, Result>();
  return (limits) => {
    const known = built.get(limits);
    if (known !== undefined) return known;
    const result = build(limits);
    built.set(limits, result);
    return result;
  };
}
