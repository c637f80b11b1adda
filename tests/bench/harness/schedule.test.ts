import { describe, expect, test } from "vitest";
import type { Contender, Ground, Run, Scenario } from "../../../bench/harness/scenario.ts";
import { faultsOf, mediansOf, obstacleTo, runScenario, turnsOf, valuesOf } from "../../../bench/harness/schedule.ts";

const ground: Ground = {
  scale: { repetitions: 3, warmUp: 0, measure: 1, idleSockets: 1, unread: 1 },
  services: {
    postgres: { status: "available", url: "", version: "17", isOwn: true },
    redis: { status: "missing", reason: "no redis-server on this machine" },
    release: async () => {},
  },
  pinning: { status: "unpinned", reason: "a test" },
  directory: "",
};

function contender(name: string, needs: Contender["needs"], run: () => Run | Promise<Run>): Contender {
  return { name, needs, run: async () => run() };
}

const run = (cost: number, faults: string[] = []): Run => ({
  figures: { cost },
  faults,
  loadBusy: null,
  strangersBusy: null,
  raw: null,
});

function scenario(...contenders: Contender[]): Scenario {
  return { name: "work", work: "", contenders, figures: [{ key: "cost", title: "cost", digits: 1 }], ratios: [] };
}

test("each contender is first in its turn", () => {
  const turns = [0, 1, 2, 3].map((repetition) => turnsOf(["a", "b", "c"], repetition).join(""));
  expect(turns).toEqual(["abc", "bca", "cab", "abc"]);
  expect(turnsOf([], 1)).toEqual([]);
});

test("what a contender needs and is missing is said", () => {
  const needing = (needs: Contender["needs"]) =>
    obstacleTo(
      contender("a", needs, () => run(1)),
      ground.services,
    );
  expect(needing(["postgres"])).toBeNull();
  expect(needing(["postgres", "redis"])).toBe("redis: no redis-server on this machine");
});

describe("a scenario", () => {
  test("runs its contenders in turn, and leaves out who cannot be run", async () => {
    const order: string[] = [];
    const costs = [5, 1, 3];
    const outcome = await runScenario(
      scenario(
        contender("a", ["postgres"], () => {
          order.push("a");
          return run(costs.shift() ?? Number.NaN);
        }),
        contender("b", [], () => {
          order.push("b");
          return run(2);
        }),
        contender("c", ["redis"], () => run(0)),
      ),
      ground,
      () => {},
    );
    expect(order.join("")).toBe("abbaab");
    expect(outcome.leftOut).toEqual([{ contender: "c", reason: "redis: no redis-server on this machine" }]);
    const medians = mediansOf(outcome);
    expect(medians("a", "cost")).toBe(3);
    expect(medians("b", "cost")).toBe(2);
    expect(medians("c", "cost")).toBeNaN();
    expect(faultsOf(outcome)).toEqual([]);
  });

  test("goes on when a contender fails, and measures nothing by a run that was wrong", async () => {
    const answers: (() => Run)[] = [
      () => run(1, ["2 messages were lost"]),
      () => {
        throw new Error("the server ended");
      },
      () => run(7),
    ];
    const lines: string[] = [];
    const outcome = await runScenario(
      scenario(
        contender("a", [], () => (answers.shift() ?? (() => run(0)))()),
        contender("b", [], () => run(2)),
      ),
      ground,
      (line) => lines.push(line),
    );
    expect(valuesOf(outcome, "a", "cost")).toEqual([7]);
    expect(valuesOf(outcome, "b", "cost")).toEqual([2, 2, 2]);
    expect(faultsOf(outcome)).toEqual([
      "work, a, repetition 1: 2 messages were lost",
      "work, a, repetition 2: the server ended",
    ]);
    expect(lines[0]).toBe("work 1/3 a: cost 1.0, WRONG: 2 messages were lost");
    expect(lines).toHaveLength(6);
  });
});
