import { expect, test } from "vitest";
import { Turns } from "../../server/transport/turns.ts";

/** Pieces of work that end when the test says so, and in which order they began. */
function works(turns: Turns) {
  const begun: string[] = [];
  const ends = new Map<string, { resolve(value: string): void; reject(error: Error): void }>();
  const take = (name: string) =>
    turns.take(() => {
      begun.push(name);
      return new Promise<string>((resolve, reject) => ends.set(name, { resolve, reject }));
    });
  const end = (name: string) => {
    const found = ends.get(name);
    if (found === undefined) throw new Error(`${name} has not begun`);
    return found;
  };
  return { begun, take, end };
}

test("work begins at once while there is room, and settles as it does", async () => {
  const { begun, take, end } = works(new Turns(2));
  const [first, second] = [take("first"), take("second")];
  expect(begun).toEqual(["first", "second"]);
  end("second").resolve("done");
  await expect(second).resolves.toBe("done");
  end("first").reject(new Error("broken"));
  await expect(first).rejects.toThrow("broken");
});

test("no more than there is room for runs at a time; the rest begins in the order in which it came", async () => {
  const { begun, take, end } = works(new Turns(2));
  const all = ["a", "b", "c", "d", "e"].map(take);
  expect(begun).toEqual(["a", "b"]);
  end("b").resolve("");
  await all[1];
  await expect.poll(() => begun).toEqual(["a", "b", "c"]);
  // Who comes while others wait goes behind them, though a place is just being given up.
  end("a").resolve("");
  all.push(take("f"));
  await expect.poll(() => begun).toEqual(["a", "b", "c", "d"]);
  for (const name of ["c", "d"]) end(name).resolve("");
  await expect.poll(() => begun).toEqual(["a", "b", "c", "d", "e", "f"]);
});

test("work that fails, or throws before it began, gives its place away all the same", async () => {
  const turns = new Turns(1);
  const { begun, take, end } = works(turns);
  const failing = take("fails");
  const throwing = turns.take(() => {
    throw new Error("thrown");
  });
  const last = take("last");
  end("fails").reject(new Error("broken"));
  await expect(failing).rejects.toThrow("broken");
  await expect(throwing).rejects.toThrow("thrown");
  await expect.poll(() => begun).toEqual(["fails", "last"]);
  end("last").resolve("done");
  await expect(last).resolves.toBe("done");
  take("after");
  expect(begun).toEqual(["fails", "last", "after"]);
});
