/** The web page and the client library, as `npm run build` leaves them in a folder. */
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyBaseLogger } from "fastify";
import type { ZodServer } from "./services.ts";

/**
 * Nothing but the page's own files runs, and it connects to its own server alone: `'self'` covers `ws:` and `wss:` of the
 * same host and port (CSP 3, 6.7.2.8). Images and media are what messages link to, wherever that is.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: http: https:",
  "media-src 'self' http: https:",
  "font-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join("; ");

/** What is in here has a hash of its content in its name. */
const HASHED = "assets/";
/** Imported by pages of other origins too, which ask for leave to read it (CORS). */
const CLIENT_LIBRARY = "client.js";

/** The folder if the page was built there; else null, and the log says how it is built. */
export function builtPage(folder: string, log: FastifyBaseLogger): string | null {
  if (existsSync(join(folder, "index.html"))) return folder;
  log.info("there is no web page here yet: `npm run build` makes it");
  return null;
}

/** A route for each file that the folder has now, and `/` for index.html: no other path is looked for on the disk. */
export function pageRoutes(app: ZodServer, folder: string): void {
  app.register(async (scope) => {
    scope.addHook("onRequest", async ({ routeOptions }, reply) => {
      reply.header("content-security-policy", CONTENT_SECURITY_POLICY);
      if (routeOptions.url === `/${CLIENT_LIBRARY}`) reply.header("cross-origin-resource-policy", "cross-origin");
    });
    await scope.register(fastifyStatic, {
      root: folder,
      wildcard: false,
      decorateReply: false,
      cacheControl: false,
      setHeaders: (answer, path) => {
        const name = relative(folder, path).replaceAll("\\", "/");
        answer.setHeader("cross-origin-opener-policy", "same-origin");
        answer.setHeader("cache-control", name.startsWith(HASHED) ? "public, max-age=31536000, immutable" : "no-cache");
        if (name === CLIENT_LIBRARY) answer.setHeader("access-control-allow-origin", "*");
      },
    });
  });
}
