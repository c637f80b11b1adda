import type { FastifyRequest } from "fastify";
import { isLoopback } from "../auth/loopback.ts";

/**
 * What proxies add. Behind one on this machine every client's address is the loopback. A proxy that adds none of these, which
 * nginx does by itself, cannot be told from a client.
 */
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

export function isProxied({ headers }: FastifyRequest): boolean {
  return PROXY_HEADERS.some((name) => headers[name] !== undefined);
}

/** Whether a request comes from this machine itself, as far as can be told. */
export function isLocal(request: FastifyRequest): boolean {
  return isLoopback(request.socket.remoteAddress) && isLoopback(request.ip) && !isProxied(request);
}
