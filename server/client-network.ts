/** Whose limit an address counts towards. */
import { isIP } from "node:net";

/** What cannot be told apart, such as what a careless proxy wrote where an address belongs, shares one limit. */
const NO_ADDRESS = "no address";

/**
 * An IPv4 address stands for itself. Of an IPv6 address the first 64 bits count: the rest is the client's to choose, and
 * one of them has 2^64 (RFC 4291, 2.5.4). IPv4 mapped into IPv6 is IPv4.
 *
 * @example clientNetwork("2001:db8::1") // "2001:db8:0:0::/64"
 */
export function clientNetwork(address: string | undefined): string {
  if (address === undefined) return NO_ADDRESS;
  switch (isIP(address)) {
    case 4:
      return address;
    case 6: {
      const groups = groupsOf(address.split("%", 1)[0] ?? "");
      return mappedIpv4(groups) ?? `${groups.slice(0, 4).join(":")}::/64`;
    }
    default:
      return NO_ADDRESS;
  }
}

/** The eight groups of a valid address, in lower case without leading zeros. */
function groupsOf(address: string): string[] {
  const [before = [], after = []] = address
    .split("::")
    .map((half) => half.split(":").filter(Boolean).flatMap(groupsIn));
  const zeros = new Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...after];
}

/** Of one part between colons, which at the end may be an IPv4 address. */
function groupsIn(part: string): string[] {
  if (!part.includes(".")) return [Number.parseInt(part, 16).toString(16)];
  const [a = 0, b = 0, c = 0, d = 0] = part.split(".").map(Number);
  return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
}

function mappedIpv4(groups: readonly string[]): string | null {
  if (groups.slice(0, 6).join(":") !== "0:0:0:0:0:ffff") return null;
  return groups
    .slice(6)
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff])
    .join(".");
}
