/** What a request costs its caller, in the units of `core/costs.ts`, out of the same rate as their frames. */
import type { FastifyRequest } from "fastify";
import { costs } from "../core/costs.ts";

/** Those that cost more than a few statements; the rest reads or changes one thing. */
const byRoute: Readonly<Record<string, number>> = {
  "GET /api/users": costs.lookup,
  "GET /api/conversations": costs.page,
  // Groups cost by their members, of SEND_RATE; this is for the look-ups around them.
  "POST /api/conversations": costs.lookup,
  "POST /api/conversations/:id/members": costs.lookup,
  "GET /api/rooms/:room/messages": costs.page,
  "POST /api/rooms/:room/read": costs.read,
};

export function costOfRequest({ method, routeOptions }: FastifyRequest): number {
  const route = `${method === "HEAD" ? "GET" : method} ${routeOptions.url ?? ""}`;
  return byRoute[route] ?? costs.statement;
}
