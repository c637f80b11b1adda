import { expect, it } from "vitest";
import { isLoopback } from "../../server/auth/loopback.ts";

it.each([
  ["127.0.0.1", true],
  ["127.255.255.254", true],
  ["::1", true],
  ["0:0:0:0:0:0:0:1", true],
  ["::ffff:127.0.0.1", true],
  ["::ffff:7f00:1", true],
  ["128.0.0.1", false],
  ["10.0.0.1", false],
  ["0.0.0.0", false],
  ["::", false],
  ["::2", false],
  ["fe80::1%eth0", false],
  ["::ffff:10.0.0.1", false],
  ["::127.0.0.1", false],
  ["127.1", false],
  ["localhost", false],
  ["", false],
  [undefined, false],
])("%s is loopback: %s", (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});
