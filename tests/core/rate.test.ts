import fc from "fast-check";
import { expect, test } from "vitest";
import { RateLimit } from "../../server/core/rate.ts";

/** Milliseconds, moved by hand. */
class Clock {
  now = 1_000;
  readonly read = () => this.now;
}

const takes = (limit: RateLimit, key: string, count: number) => Array.from({ length: count }, () => limit.take(key));

test("the burst at once, then the wait for one token", () => {
  const clock = new Clock();
  const limit = new RateLimit(20, 3, clock.read);
  expect(takes(limit, "alice", 5)).toEqual([0, 0, 0, 50, 50]);
  clock.now += 20;
  expect(limit.take("alice")).toBe(30);
  clock.now += 30;
  expect(takes(limit, "alice", 2)).toEqual([0, 50]);
});

test("fills at the rate, up to the burst and no further", () => {
  const clock = new Clock();
  const limit = new RateLimit(10, 4, clock.read);
  takes(limit, "alice", 4);
  clock.now += 200;
  expect(takes(limit, "alice", 3)).toEqual([0, 0, 100]);
  clock.now += 3_600_000;
  expect(takes(limit, "alice", 5)).toEqual([0, 0, 0, 0, 100]);
});

test("each key has its own", () => {
  const limit = new RateLimit(1, 1, new Clock().read);
  expect([limit.take("alice"), limit.take("alice"), limit.take("bob")]).toEqual([0, 1_000, 0]);
});

test("who waits as long as they were told is let through, and not a millisecond earlier", () => {
  const settings = fc.record({ rate: fc.integer({ min: 1, max: 1_000 }), burst: fc.integer({ min: 1, max: 100 }) });
  const pauses = fc.array(fc.nat(500), { maxLength: 20 });
  fc.assert(
    fc.property(settings, pauses, ({ rate, burst }, before) => {
      const clock = new Clock();
      const limit = new RateLimit(rate, burst, clock.read);
      for (const pause of before) {
        clock.now += pause;
        limit.take("alice");
      }
      while (limit.take("alice") === 0);
      const wait = limit.take("alice");
      clock.now += wait - 1;
      expect(limit.take("alice")).toBeGreaterThan(0);
      clock.now += 1;
      expect(limit.take("alice")).toBe(0);
    }),
    { numRuns: 1_000 },
  );
});

test("who has been still for as long as a bucket takes to fill is forgotten", () => {
  const clock = new Clock();
  const limit = new RateLimit(10, 20, clock.read);
  limit.take("alice");
  takes(limit, "bob", 20);
  clock.now += 1_000;
  limit.take("carol");
  expect(limit.size).toBe(3);
  clock.now += 1_000;
  limit.take("carol");
  // Carol's token of a second ago is back, too; but she has just taken another.
  expect(limit.size).toBe(1);
  expect(takes(limit, "bob", 21).filter((wait) => wait === 0)).toHaveLength(20);
});

test("keys beyond the most that are kept push out those longest silent, which start anew", () => {
  const clock = new Clock();
  const limit = new RateLimit(1, 1, clock.read, 2);
  for (const key of ["alice", "bob", "alice", "carol"]) limit.take(key);
  expect(limit.size).toBe(2);
  expect([limit.take("alice"), limit.take("carol"), limit.take("bob")]).toEqual([1_000, 1_000, 0]);
  expect(limit.size).toBe(2);
});

test("what costs more than a token may be done with one, and is paid off before the next", () => {
  const clock = new Clock();
  const limit = new RateLimit(10, 3, clock.read);
  expect([limit.take("alice", 20), limit.take("alice"), limit.take("alice", 20)]).toEqual([0, 1_800, 1_800]);
  clock.now += 1_799;
  expect(limit.take("alice")).toBe(1);
  clock.now += 1;
  expect([limit.take("alice"), limit.take("alice")]).toEqual([0, 100]);
});

test("a charge is taken from who has nothing, and says when it is paid", () => {
  const clock = new Clock();
  const limit = new RateLimit(10, 3, clock.read);
  expect([1, 2, 3, 4, 5].map(() => limit.charge("alice", 1))).toEqual([0, 0, 0, 100, 200]);
  clock.now += 200;
  expect(limit.take("alice")).toBe(100);
});

test("over any time no more is taken than the burst, what the rate brought, and the last thing's cost", () => {
  const costs = fc.array(fc.record({ cost: fc.integer({ min: 1, max: 30 }), pause: fc.nat(300) }), { maxLength: 60 });
  fc.assert(
    fc.property(costs, (asked) => {
      const clock = new Clock();
      const limit = new RateLimit(20, 10, clock.read);
      let taken = 0;
      for (const { cost, pause } of asked) {
        clock.now += pause;
        if (limit.take("alice", cost) === 0) taken += cost;
        expect(taken).toBeLessThan(10 + ((clock.now - 1_000) / 1_000) * 20 + 30);
      }
    }),
  );
});

test("a debt outlives the time in which an empty bucket fills", () => {
  const clock = new Clock();
  const limit = new RateLimit(10, 2, clock.read);
  limit.take("alice", 100);
  clock.now += 5_000;
  limit.take("bob");
  expect(limit.take("alice")).toBeGreaterThan(0);
  clock.now += 10_000;
  limit.take("bob");
  expect(limit.size).toBe(1);
});
