import { expect, test } from "vitest";
import { Targets } from "../../../bench/load/targets.ts";

test("sockets are dealt over the servers in turn", () => {
  const targets = new Targets(["http://127.0.0.1:81", "http://127.0.0.1:82", "http://127.0.0.1"]);
  expect(Array.from({ length: 5 }, () => targets.next().port)).toEqual([81, 82, 80, 81, 82]);
});

test("beyond 25,000 they come from further addresses of this machine", () => {
  const targets = new Targets(["http://127.0.0.1:81"]);
  const addresses = Array.from({ length: 50_001 }, () => targets.next().localAddress);
  expect([addresses[24_999], addresses[25_000], addresses[49_999], addresses[50_000]]).toEqual([
    undefined,
    "127.0.0.2",
    "127.0.0.2",
    "127.0.0.3",
  ]);
});

test("a server elsewhere is reached from one address", () => {
  const targets = new Targets(["http://server.example:81"]);
  const addresses = new Set(Array.from({ length: 25_001 }, () => targets.next().localAddress));
  expect([...addresses]).toEqual([undefined]);
});
