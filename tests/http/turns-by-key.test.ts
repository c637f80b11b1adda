import { expect, test } from "vitest";
import { TurnsByKey } from "../../server/http/turns-by-key.ts";

test("so many run at a time for each key, the others in the order they came, and too many are told so", async () => {
  const turns = new TurnsByKey<string>(2, 2);
  const begun: number[] = [];
  const leaves: (() => void)[] = [];
  for (const number of [1, 2, 3, 4]) {
    const place = turns.enter("a");
    if (place === null) throw new Error("there is room");
    leaves.push(place.leave);
    if (place.turn === null) begun.push(number);
    else void place.turn.then(() => begun.push(number));
  }
  expect(turns.enter("a")).toBeNull();
  expect(turns.enter("b")).toMatchObject({ turn: null });
  expect(begun).toEqual([1, 2]);
  // Twice, as an answer that ends and then closes does.
  leaves[0]?.();
  leaves[0]?.();
  await expect.poll(() => begun).toEqual([1, 2, 3]);
  // Who leaves the line lets the next in, when it is their turn.
  leaves[3]?.();
  leaves[1]?.();
  leaves[2]?.();
  expect(begun).toEqual([1, 2, 3]);
  expect(turns.size).toBe(1);
});
