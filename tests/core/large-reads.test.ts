import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type LargeRead, LargeReads } from "../../server/core/large-reads.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const PAGE = 100;

/** A line, and what became of those who took their place in it, in that order. */
function openLine(options: Partial<ConstructorParameters<typeof LargeReads>[0]> = {}) {
  const line = new LargeReads({ pageBytes: PAGE, ...options });
  const begun: string[] = [];
  const gaveWay: string[] = [];
  const reads = new Map<string, LargeRead>();
  const take = (name: string, userId = name.slice(0, 1)) =>
    line
      .take(userId, () => gaveWay.push(name))
      .then(
        (read) => {
          begun.push(name);
          reads.set(name, read);
        },
        (error: { code: string; retryAfter: number }) => begun.push(`${name} ${error.code} ${error.retryAfter}`),
      );
  const release = async (name: string) => {
    reads.get(name)?.release();
    await settled();
  };
  return { line, begun, gaveWay, reads, take, release };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("[PAGE-4] four reads of a user are under way until they were taken, and others are not their wait", async () => {
  const { line, begun, take, release } = openLine();
  for (const name of ["a1", "a2", "a3", "a4", "a5", "a6", "b1"]) void take(name);
  await settled();
  expect(begun).toEqual(["a1", "a2", "a3", "a4", "b1"]);
  expect(line.counts).toEqual({ underWay: 5, waiting: 2, bytes: 5 * PAGE });
  await release("a2");
  await release("a2");
  expect(begun.slice(5)).toEqual(["a5"]);
  for (const name of ["a1", "a3", "a4", "a5", "a6", "b1"]) await release(name);
  expect(line.counts).toEqual({ underWay: 0, waiting: 0, bytes: 0 });
});

test("[PAGE-4] who waits for too long, or behind too many, is rate_limited", async () => {
  const { line, begun, take, release } = openLine({ waitingPerUser: 2 });
  for (const name of ["a1", "a2", "a3", "a4", "a5", "a6", "a7"]) void take(name);
  await settled();
  expect(begun.slice(4)).toEqual(["a7 rate_limited 1000"]);
  await release("a1");
  vi.advanceTimersByTime(5_000);
  await settled();
  expect(begun.slice(5)).toEqual(["a5", "a6 rate_limited 1000"]);
  await release("a2");
  expect(line.counts).toMatchObject({ underWay: 3, waiting: 0 });
});

test("[PAGE-5] where the node is full, users take turns", async () => {
  const { line, begun, take, reads, release } = openLine({ pages: 2 });
  for (const name of ["a1", "a2", "a3", "a4", "b1", "b2", "c1"]) void take(name);
  await settled();
  expect(begun).toEqual(["a1", "a2"]);
  await release("a1");
  await release("a2");
  expect(begun.slice(2)).toEqual(["a3", "b1"]);
  await release("a3");
  await release("b1");
  expect(begun.slice(4)).toEqual(["c1", "a4"]);
  // What was read is small: there is room for more.
  reads.get("c1")?.hold(10);
  reads.get("a4")?.hold(90);
  await settled();
  expect(begun.slice(6)).toEqual(["b2"]);
  expect(line.counts).toEqual({ underWay: 3, waiting: 0, bytes: 200 });
});

test("[PAGE-5] the read that has been under way for longest gives way, if it was for long", async () => {
  const { gaveWay, take, begun, release } = openLine({ pages: 2, patience: 60_000 });
  await take("a1");
  await take("b1");
  void take("c1");
  expect(gaveWay).toEqual([]);
  vi.advanceTimersByTime(10_001);
  void take("d1");
  expect(gaveWay).toEqual(["a1"]);
  await release("a1");
  expect(begun).toEqual(["a1", "b1", "c1"]);
});

test("[PAGE-5] who takes none of their answers is refused the next", async () => {
  const { line } = openLine();
  const answers = Array.from({ length: 4 }, () => line.hold("a", 0));
  for (const answer of answers) answer.hold(PAGE);
  line.checkTaken("a");
  answers[0]?.hold(PAGE + 1);
  expect(() => line.checkTaken("a")).toThrow(expect.objectContaining({ code: "rate_limited" }));
  line.checkTaken("b");
  answers[1]?.release();
  line.checkTaken("a");
  for (const answer of answers) answer.release();
  expect(line.counts).toEqual({ underWay: 0, waiting: 0, bytes: 0 });
});
