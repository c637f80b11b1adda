/** Which proxies are believed when they say, in X-Forwarded-For, whom a request comes from. */
import { BlockList, isIP } from "node:net";

export class TrustedProxies {
  readonly #addresses: BlockList;

  private constructor(addresses: BlockList) {
    this.#addresses = addresses;
  }

  /**
   * Addresses, ranges in CIDR notation and the word `loopback`, between commas. Null for anything else: a number of hops
   * would believe whoever connects past the proxy, and so would a range of all addresses.
   *
   * @example TrustedProxies.parse("loopback, 10.0.0.0/8, 2001:db8::7")
   */
  static parse(text: string): TrustedProxies | null {
    const addresses = new BlockList();
    for (const entry of text.split(",")) {
      if (!add(addresses, entry.trim())) return null;
    }
    return new TrustedProxies(addresses);
  }

  /** `address`: of a connection's other end, or from the header itself, where anything may stand. */
  has(address: string | undefined): boolean {
    if (address === undefined) return false;
    const version = isIP(address);
    return version !== 0 && this.#addresses.check(address, version === 4 ? "ipv4" : "ipv6");
  }
}

function add(addresses: BlockList, entry: string): boolean {
  if (entry === "loopback") return add(addresses, "127.0.0.0/8") && add(addresses, "::1");
  const [, address = "", bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const version = isIP(address);
  if (version === 0) return false;
  const longest = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? longest : Number(bits);
  if (prefix < 1 || prefix > longest) return false;
  addresses.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  return true;
}
