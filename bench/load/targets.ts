/** Where sockets are connected to, and from. */
import type { Target } from "./connection.ts";

/** A server's address and a client's have some 28,000 ports between them (Linux's default range). */
const SOCKETS_PER_ADDRESS = 25_000;
const LOOPBACK = "127.0.0.1";

/** Deals sockets over the servers in turn, and over the machine's loopback addresses where they are many. */
export class Targets {
  readonly #servers: readonly URL[];
  #dealt = 0;

  constructor(servers: readonly string[]) {
    this.#servers = servers.map((server) => new URL(server));
    if (this.#servers.length === 0) throw new Error("the plan names no server");
  }

  next(): Target {
    const index = this.#dealt;
    this.#dealt += 1;
    const server = this.#servers[index % this.#servers.length];
    if (server === undefined) throw new Error("the plan names no server");
    const { hostname, port } = server;
    const address = Math.floor(index / SOCKETS_PER_ADDRESS);
    // The first are left to the system, which is right wherever the server is.
    const localAddress = hostname === LOOPBACK && address > 0 ? `127.0.0.${address + 1}` : undefined;
    return { host: hostname, port: Number(port || 80), localAddress };
  }
}
