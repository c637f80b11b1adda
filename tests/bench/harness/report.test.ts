import { expect, test } from "vitest";
import {
  type BenchmarkOutcome,
  describeValues,
  ratiosOf,
  table,
  toJson,
  toMarkdown,
} from "../../../bench/harness/report.ts";
import type { Run } from "../../../bench/harness/scenario.ts";

const run = (cost: number, faults: string[] = [], loadBusy = 0.5, strangersBusy = 0): Run => ({
  figures: { cost },
  faults,
  loadBusy,
  strangersBusy,
  raw: { ticks: cost },
});

function outcomeOf(runs: readonly Run[], isJudged = true): BenchmarkOutcome {
  const ratio = (title: string, value: number, over: string) => ({
    title,
    goal: { kind: "at most", value } as const,
    of: (medians: (contender: string, figure: string) => number) => medians("a", "cost") / medians(over, "cost"),
  });
  return {
    mode: "full",
    isJudged,
    environment: [["Node", "v20"]],
    scenarios: [
      {
        scenario: {
          name: "room",
          work: "A room.",
          contenders: [],
          figures: [{ key: "cost", title: "µs|message", digits: 1 }],
          ratios: [ratio("a / b", 0.75, "b"), ratio("a / b, tight", 0.5, "b"), ratio("a / c", 1, "c")],
        },
        contenders: [
          { contender: "a", runs },
          { contender: "b", runs: [run(4, [], 0.93), run(4, [], 0.5, 0.2), run(4)] },
        ],
        leftOut: [{ contender: "c", reason: "redis: not here" }],
      },
    ],
  };
}

const right = outcomeOf([run(3), run(2.5), run(3.25)]);

test("a table's columns are as wide as what is in them, and what would end a cell is escaped", () => {
  expect(table(["name", ""], [["a|b", "1"]]).split("\n")).toEqual([
    "| name |     |",
    "| ---- | --- |",
    "| a\\|b | 1   |",
  ]);
});

test("values are their median and their range", () => {
  expect(describeValues([2, 1, 3], 1)).toBe("2.0 (1.0–3.0)");
  expect(describeValues([2.345], 2)).toBe("2.35");
  expect(describeValues([], 1)).toBe("–");
});

test("the figures of each contender, and who was left out", () => {
  const markdown = toMarkdown(right);
  expect(markdown).toContain(
    [
      "## room",
      "",
      "A room.",
      "",
      "|     | µs\\|message   | load busy        | others busy      |",
      "| --- | ------------- | ---------------- | ---------------- |",
      "| a   | 3.0 (2.5–3.3) | 0.50 (0.50–0.50) | 0.00 (0.00–0.00) |",
      "| b   | 4.0 (4.0–4.0) | 0.50 (0.50–0.93) | 0.00 (0.00–0.20) |",
      "",
      "c left out: redis: not here",
    ].join("\n"),
  );
  expect(markdown).toContain("| Node | v20 |");
  expect(markdown).toContain("Every run was right");
  expect(markdown).toContain("no time to spare in room (b):");
  expect(markdown).toContain("busy with something else in room (b):");
});

test("ratios are judged by medians", () => {
  expect(ratiosOf(right)).toEqual([
    { scenario: "room", title: "a / b", measured: 0.75, goal: "≤ 0.75", verdict: "reached" },
    { scenario: "room", title: "a / b, tight", measured: 0.75, goal: "≤ 0.5", verdict: "not reached" },
    { scenario: "room", title: "a / c", measured: Number.NaN, goal: "≤ 1", verdict: "not measured" },
  ]);
  expect(toMarkdown(right)).toMatch(/\| room +\| a \/ b, tight \| 0\.750 +\| ≤ 0\.5 +\| not reached +\|/);
  expect(ratiosOf(outcomeOf([run(3)], false)).map(({ verdict }) => verdict)).toEqual([
    "not judged",
    "not judged",
    "not judged",
  ]);
});

test("what was wrong is listed, and is no figure", () => {
  const wrong = outcomeOf([run(3), run(1, ["3 messages were lost", "a badge said 7, not 8"]), run(3)]);
  const markdown = toMarkdown(wrong);
  expect(markdown).toContain(
    "2 wrong:\n\n- room, a, repetition 2: 3 messages were lost\n- room, a, repetition 2: a badge",
  );
  expect(markdown).toContain("| a   | 3.0 (3.0–3.0) ");
});

test("the JSON has every run with what it was made from", () => {
  const content = JSON.parse(toJson(right));
  expect(content.environment).toEqual({ Node: "v20" });
  expect(content.ratios[2]).toMatchObject({ measured: null, verdict: "not measured" });
  expect(content.scenarios[0].contenders[0].runs.map((its: Run) => its.raw)).toEqual([
    { ticks: 3 },
    { ticks: 2.5 },
    { ticks: 3.25 },
  ]);
});
