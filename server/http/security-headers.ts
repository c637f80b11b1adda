import type { FastifyInstance, FastifyReply } from "fastify";

/**
 * What is no page has nothing to load and no frame to be shown in; and no page of another origin embeds it. The page and
 * the client library say otherwise of themselves. That a browser comes back by https alone (HSTS) is for the proxy to say,
 * which ends TLS.
 */
const HEADERS = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-frame-options": "DENY",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/** On every answer of the server, whoever gives it. */
export function installSecurityHeaders(app: FastifyInstance): void {
  app.addHook("onRequest", async (_request, reply) => setSecurityHeaders(reply));
}

export function setSecurityHeaders(reply: FastifyReply): void {
  reply.headers(securityHeaders(reply.request.url));
}

/** Answers of the API are somebody's own: no cache keeps them. `url`: of the request; null where it was none. */
export function securityHeaders(url: string | null): Readonly<Record<string, string>> {
  return url?.startsWith("/api/") ? { ...HEADERS, "cache-control": "no-store" } : HEADERS;
}
