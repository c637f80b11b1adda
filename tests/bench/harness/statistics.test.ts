import { expect, test } from "vitest";
import { describeGoal, type Goal, judge } from "../../../bench/harness/judgement.ts";
import { medianOf, spreadOf } from "../../../bench/harness/statistics.ts";

test("the median is the middle one, or the mean of the two in the middle, in whatever order they came", () => {
  expect(medianOf([7])).toBe(7);
  expect(medianOf([10, 1, 100])).toBe(10);
  expect(medianOf([4, 1, 3, 100])).toBe(3.5);
  expect(medianOf([])).toBeNaN();
});

test("a spread leaves the values as they are", () => {
  const values = [3, 1, 2];
  expect(spreadOf(values)).toEqual({ median: 2, min: 1, max: 3 });
  expect(values).toEqual([3, 1, 2]);
  expect(spreadOf([])).toEqual({ median: Number.NaN, min: Number.NaN, max: Number.NaN });
});

test.each<[number, Goal, string]>([
  [0.85, { kind: "at most", value: 0.85 }, "reached"],
  [0.8504, { kind: "at most", value: 0.85 }, "not reached"],
  [4, { kind: "at least", value: 4 }, "reached"],
  [3.9999, { kind: "at least", value: 4 }, "not reached"],
  [1, { kind: "exactly", value: 1 }, "reached"],
  [1.001, { kind: "exactly", value: 1 }, "not reached"],
  [0.999, { kind: "exactly", value: 1 }, "not reached"],
  [Number.NaN, { kind: "at most", value: 1 }, "not measured"],
  [Number.POSITIVE_INFINITY, { kind: "at most", value: 1 }, "not reached"],
])("%d of %o is %s", (ratio, goal, verdict) => {
  expect(judge(ratio, goal)).toBe(verdict);
});

test("a goal in words", () => {
  expect(describeGoal({ kind: "at most", value: 0.85 })).toBe("≤ 0.85");
  expect(describeGoal({ kind: "at least", value: 4 })).toBe("≥ 4");
  expect(describeGoal({ kind: "exactly", value: 1 })).toBe("= 1");
});
