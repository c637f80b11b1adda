import { expect, test } from "vitest";
import { parseLine } from "../../../bench/harness/output-lines.ts";

const url = "http://127.0.0.1:45678";

test("a peer and Parley say where they listen, each in its way", () => {
  expect(parseLine(JSON.stringify({ listening: url }))).toEqual({ kind: "listening", url });
  expect(parseLine(JSON.stringify({ level: 30, pid: 1, msg: `listening on ${url}` }))).toEqual({
    kind: "listening",
    url,
  });
});

test("the preloaded module says that it collected", () => {
  expect(parseLine('{"collected":true}')).toEqual({ kind: "collected" });
});

test("errors of the log are kept in their own words, the rest is passed over", () => {
  const error = JSON.stringify({ level: 50, msg: "a consumer failed" });
  expect(parseLine(error)).toEqual({ kind: "error", text: error });
  expect(parseLine(JSON.stringify({ level: 40, msg: "slow" }))).toEqual({ kind: "other" });
  expect(parseLine("plain text")).toEqual({ kind: "other" });
});
