/** A dialect's schemas are built once for each value of a limit, not for each socket. */
export function memoized<Argument, Result>(build: (argument: Argument) => Result): (argument: Argument) => Result {
  const built = new Map<Argument, Result>();
  return (argument) => {
    const known = built.get(argument);
    if (known !== undefined) return known;
    const result = build(argument);
    built.set(argument, result);
    return result;
  };
}
