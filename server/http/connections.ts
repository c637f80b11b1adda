/** How many TCP connections there may be, before anything is said on them. */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { clientNetwork } from "../client-network.ts";
import type { Notices } from "../notices.ts";
import type { TrustedProxies } from "../trusted-proxies.ts";

export interface ConnectionLimits {
  readonly maxConnections: number;
  /** Of a client network. */
  readonly maxConnectionsPerAddress: number | "off";
  /** Theirs are of many clients, and count in the first alone. */
  readonly trustedProxies: TrustedProxies | null;
}

/** Connections beyond the limits are closed without a word: an answer would cost more than they do. */
export function limitConnections(server: Server, limits: ConnectionLimits, notices: Notices): void {
  const { maxConnections, maxConnectionsPerAddress: perAddress, trustedProxies } = limits;
  server.maxConnections = maxConnections;
  server.on("drop", (drop) =>
    notices.tell(
      "warn",
      "MAX_CONNECTIONS",
      { address: drop?.remoteAddress },
      "closed a connection: MAX_CONNECTIONS are open",
    ),
  );
  if (perAddress === "off") return;
  const counts = new Map<string, number>();
  const counted = new WeakSet<Socket>();
  server.on("connection", (socket) => {
    // A connection that goes on after the offer of an upgrade comes here again.
    if (counted.has(socket)) return;
    counted.add(socket);
    const { remoteAddress: address } = socket;
    if (trustedProxies?.has(address) === true) return;
    const network = clientNetwork(address);
    const count = (counts.get(network) ?? 0) + 1;
    if (count > perAddress) {
      notices.tell(
        "warn",
        "MAX_CONNECTIONS_PER_ADDRESS",
        { address },
        "closed a connection: MAX_CONNECTIONS_PER_ADDRESS",
      );
      socket.destroy();
      return;
    }
    counts.set(network, count);
    socket.once("close", () => {
      const left = (counts.get(network) ?? 1) - 1;
      if (left === 0) counts.delete(network);
      else counts.set(network, left);
    });
  });
}
