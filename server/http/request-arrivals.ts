/** Counts whoever comes, by the address they come from, before anything else is done for them. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Arrivals } from "../arrivals.ts";
import type { TrustedProxies } from "../trusted-proxies.ts";

/** Asked by whoever runs the server, in a rhythm of their own, from one address. */
const UNCOUNTED: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics"]);

/** Where the address of a request comes from is settled by `trustProxy`, an option of the server's. */
export function countArrivals(app: FastifyInstance, arrivals: Arrivals, proxies: TrustedProxies | null): void {
  let hasTold = false;
  app.addHook("onRequest", async (request, reply) => {
    // The plugin ends the connection after a refusal.
    if (request.ws) reply.header("connection", "close");
    else if (UNCOUNTED.has(request.routeOptions.url ?? "")) return;
    try {
      arrivals.admit(request.ws ? "connections" : "requests", request.ip);
    } catch (error) {
      if (!hasTold && isOfUnknownProxy(request, proxies)) {
        hasTold = true;
        request.log.warn(
          { address: request.socket.remoteAddress },
          "refused for its rate, with an X-Forwarded-For that is not looked at: if this is your proxy, see TRUST_PROXY",
        );
      }
      throw error;
    }
  });
}

/** All clients of such a proxy share the limits of its address. */
function isOfUnknownProxy({ headers, socket }: FastifyRequest, proxies: TrustedProxies | null): boolean {
  return headers["x-forwarded-for"] !== undefined && !(proxies?.has(socket.remoteAddress) ?? false);
}
