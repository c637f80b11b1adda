import { expect, test } from "vitest";
import { divideCores, onServerCore, parseCoreList } from "../../../bench/harness/cores.ts";

test("a list of cores", () => {
  expect(parseCoreList("0")).toEqual([0]);
  expect(parseCoreList("0-3,8,10-11")).toEqual([0, 1, 2, 3, 8, 10, 11]);
  expect(() => parseCoreList("all")).toThrow("not a list of cores: all");
});

test("the first core is the servers', whichever cores this process may use", () => {
  expect(divideCores([2, 3, 8])).toEqual({ server: "2", others: "3,8" });
  expect(divideCores([0])).toBeNull();
  expect(divideCores([])).toBeNull();
});

test("a server is started on its core where there is one for it alone", () => {
  expect(onServerCore({ status: "pinned", server: "2", others: "3,8" }, ["node", "x.js"])).toEqual([
    "taskset",
    "-c",
    "2",
    "node",
    "x.js",
  ]);
  expect(onServerCore({ status: "unpinned", reason: "there is one core only" }, ["node"])).toEqual(["node"]);
});
