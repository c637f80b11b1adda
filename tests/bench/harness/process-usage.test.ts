import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import {
  cpuSecondsOf,
  parseMachineTicks,
  parseResident,
  parseStat,
  residentOf,
  ticksOfTrees,
} from "../../../bench/harness/process-usage.ts";

/** `ticks`: utime, stime, cutime, cstime. */
function stat(command: string, ticks: readonly [number, number, number, number]): string {
  return `4711 (${command}) S 815 4711 815 34816 4711 4194560 21000 90 1 2 ${ticks.join(" ")} 20 0 11 0 9000 1 2 3\n`;
}

describe("/proc/<pid>/stat", () => {
  test("adds the time in user and kernel mode, its own and that of the children it waited for", () => {
    expect(parseStat(stat("node", [1000, 200, 30, 4]))).toEqual({ pid: 4711, parent: 815, ticks: 1234 });
  });

  test.each(["a (b) c", ") S 1 (", "tmux: server"])("finds the fields behind the command %j", (command) => {
    expect(parseStat(stat(command, [1, 2, 3, 4]))).toEqual({ pid: 4711, parent: 815, ticks: 10 });
  });

  test.each(["", "4711 (node", "4711 (node) S"])("%j is none", (text) => {
    expect(() => parseStat(text)).toThrow("not a /proc/<pid>/stat");
  });
});

describe("/proc/<pid>/status", () => {
  test("memory of its own in KiB, swapped out or not", () => {
    const status = "Name:\tnode\nVmHWM:\t  999 kB\nVmRSS:\t   61440 kB\nRssAnon:\t 40960 kB\nVmSwap:\t 24 kB\n";
    expect(parseResident(status)).toBe(40_984);
  });

  test("a process that has ended has none", () => {
    expect(() => parseResident("Name:\tnode\nState:\tZ (zombie)\n")).toThrow("has ended");
  });
});

test("/proc/stat: what all cores did, guests' time once, waiting and idling left out", () => {
  expect(parseMachineTicks("cpu  1 20 300 4000 50000 600000 7000000 80000000 1 2\ncpu0 9 9 9\nctxt 1\n")).toBe(
    87_600_321,
  );
  expect(() => parseMachineTicks("cpu0 1 2 3\n")).toThrow("without a line of all cores");
});

test("a tree is a process and all below it, each once", () => {
  const processes = [
    { pid: 1, parent: 0, ticks: 1 },
    { pid: 10, parent: 1, ticks: 10 },
    { pid: 11, parent: 10, ticks: 100 },
    { pid: 12, parent: 11, ticks: 1_000 },
    { pid: 20, parent: 1, ticks: 10_000 },
  ];
  expect(ticksOfTrees([10], processes)).toBe(1_110);
  expect(ticksOfTrees([10, 20], processes)).toBe(11_110);
  expect(ticksOfTrees([10, 11], processes)).toBe(1_110);
  expect(ticksOfTrees([30], processes)).toBe(0);
});

describe.skipIf(process.platform !== "linux")("of a process that runs", () => {
  test("its CPU time grows by what it worked, and its memory is there", async () => {
    const work = "const end = process.cpuUsage().user + 300000; while (process.cpuUsage().user < end);";
    const child = spawn(process.execPath, [
      "-e",
      `process.stdin.once("data", () => { ${work} console.log("worked"); }); console.log("ready");`,
    ]);
    try {
      await once(child.stdout, "data");
      const pid = child.pid ?? 0;
      const before = cpuSecondsOf([pid]).asked;
      expect(residentOf(pid)).toBeGreaterThan(1_000);
      child.stdin.write("work\n");
      await once(child.stdout, "data");
      // It worked for 0.3 s; a tick of 10 ms may be missing at each end.
      expect(cpuSecondsOf([pid]).asked - before).toBeGreaterThanOrEqual(0.28);
    } finally {
      child.kill();
      await once(child, "exit");
    }
  });
});
