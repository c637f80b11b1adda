/** Counts whoever comes, by the address they come from, before anything else is done for them. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Arrivals } from "../arrivals.ts";
import { clientNetwork } from "../client-network.ts";
import { Refusal } from "../core/errors.ts";
import { tooMany } from "../core/rate.ts";
import type { TrustedProxies } from "../trusted-proxies.ts";
import { OPERATIONS } from "./operations.ts";
import { isLocal } from "./proxied.ts";
import { RequestsInFlight } from "./requests-in-flight.ts";
import { TurnsByKey } from "./turns-by-key.ts";

/** Requests on one connection that are answered at a time, and that wait for it (pipelining). */
const ON_CONNECTION = { atATime: 8, waiting: 256 };
/** For each request of an address that is answered, so many may wait. */
const WAITING_FOR_EACH = 10;
/** Milliseconds after which an address with too many requests under way may come again. */
const RETRY_AFTER = 1_000;

export interface ArrivalServices {
  readonly arrivals: Arrivals;
  readonly trustedProxies: TrustedProxies | null;
  /** Of one client network, answered at a time. */
  readonly maxRequestsPerAddress: number;
}

/** Where the address of a request comes from is settled by `trustProxy`, an option of the server's. */
export function countArrivals(app: FastifyInstance, services: ArrivalServices): void {
  const { arrivals, trustedProxies, maxRequestsPerAddress: perAddress } = services;
  const inFlight = RequestsInFlight.of(app.server);
  const connections = new TurnsByKey<unknown>(ON_CONNECTION.atATime, ON_CONNECTION.waiting);
  const addresses = new TurnsByKey<string>(perAddress, perAddress * WAITING_FOR_EACH);
  let hasTold = false;
  app.addHook("onRequest", async (request, reply) => {
    // The plugin ends the connection after a refusal.
    if (request.ws) reply.header("connection", "close");
    // Asked by whoever runs the server, in a rhythm of their own, from one address; when the others are many, too.
    const isWatching = !request.ws && OPERATIONS.has(request.routeOptions.url ?? "") && isLocal(request);
    try {
      if (!isWatching) arrivals.admit(request.ws ? "connections" : "requests", request.ip);
    } catch (error) {
      if (!hasTold && isOfUnknownProxy(request, trustedProxies)) {
        hasTold = true;
        request.log.warn(
          { address: request.socket.remoteAddress },
          "refused for its rate, with an X-Forwarded-For that is not looked at: if this is your proxy, see TRUST_PROXY",
        );
      }
      throw error;
    }
    if (request.ws) return;
    inFlight.add(request.raw.socket, reply.raw);
    if ((await turnOf(connections, request.raw.socket, reply)) === "too_many") {
      // What it sends is read faster than it is answered, and nothing can be said before its turn.
      request.raw.socket.destroy();
      throw new Refusal("rate_limited", "too many requests on one connection");
    }
    if (isWatching || reply.sent) return;
    if ((await turnOf(addresses, clientNetwork(request.ip), reply)) === "too_many") {
      throw tooMany("requests under way", RETRY_AFTER);
    }
  });
}

/** Waits for the turn of what is answered by `reply`, and gives it up when it is. Where nobody is left to answer, it ends there. */
async function turnOf<Key>(turns: TurnsByKey<Key>, key: Key, reply: FastifyReply): Promise<"taken" | "too_many"> {
  const place = turns.enter(key);
  if (place === null) return "too_many";
  // The second for what breaks before it is answered.
  reply.raw.once("finish", place.leave).once("close", place.leave);
  if (place.turn !== null) await place.turn;
  if (reply.request.raw.socket.destroyed) {
    // It broke while the request waited, and its close was told then, to nobody who would give this place up.
    place.leave();
    reply.hijack();
  }
  return "taken";
}

/** All clients of such a proxy share the limits of its address. */
function isOfUnknownProxy({ headers, socket }: FastifyRequest, proxies: TrustedProxies | null): boolean {
  return headers["x-forwarded-for"] !== undefined && !(proxies?.has(socket.remoteAddress) ?? false);
}
