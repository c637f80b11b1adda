import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseOpenFilesLimit } from "../../../bench/harness/open-files.ts";

const limits = (hard: string) => `Limit                     Soft Limit           Hard Limit           Units
Max processes             95946                95946                processes
Max open files            1024                 ${hard.padEnd(20)} files
Max locked memory         8388608              8388608              bytes
`;

test("the hard limit of open files", () => {
  expect(parseOpenFilesLimit(limits("20000"))).toBe(20_000);
  expect(parseOpenFilesLimit(limits("unlimited"))).toBe(Number.POSITIVE_INFINITY);
  expect(() => parseOpenFilesLimit("Max processes 1 1 processes")).toThrow("without a line of open files");
});

test.runIf(process.platform === "linux")("as Linux writes it", () => {
  expect(parseOpenFilesLimit(readFileSync("/proc/self/limits", "utf8"))).toBeGreaterThan(0);
});
