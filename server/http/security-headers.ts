import type { FastifyInstance, FastifyReply } from "fastify";

/** On every answer of the server, whoever gives it. */
export function installSecurityHeaders(app: FastifyInstance): void {
  app.addHook("onRequest", async (_request, reply) => setSecurityHeaders(reply));
}

/** Answers of the API are somebody's own: no cache keeps them. */
export function setSecurityHeaders(reply: FastifyReply): void {
  reply.header("x-content-type-options", "nosniff").header("referrer-policy", "no-referrer");
  if (reply.request.url.startsWith("/api/")) reply.header("cache-control", "no-store");
}
