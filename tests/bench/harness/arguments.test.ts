import { expect, test } from "vitest";
import { parseArguments, UsageError } from "../../../bench/harness/arguments.ts";

const SCENARIOS = ["room", "pairs", "single"];
const parse = (...parameters: string[]) => parseArguments(parameters, SCENARIOS);

test("without any: everything, in full, written to a file named after the date", () => {
  expect(parse()).toEqual({ mode: "full", only: null, json: null });
});

test("modes", () => {
  expect(parse("--quick").mode).toBe("quick");
  expect(parse("--smoke").mode).toBe("smoke");
});

test("scenarios between commas, and a file", () => {
  expect(parse("--only", "single, room,", "--json", "results.json")).toEqual({
    mode: "full",
    only: ["single", "room"],
    json: "results.json",
  });
});

test.each([
  [["--quick", "--smoke"], "--quick and --smoke: only one of them may be given"],
  [["--only", "rom,pairs"], "--only: no such scenario: rom. There are room, pairs, single"],
  [["--only", ","], "--only: expected names of scenarios between commas"],
  [["--only"], "--only"],
  [["--json", ""], "--json: expected the name of a file"],
  [["--fast"], "--fast"],
  [["room"], "room"],
])("%j is refused", (parameters, message) => {
  expect(() => parse(...parameters)).toThrow(UsageError);
  expect(() => parse(...parameters)).toThrow(message);
});
