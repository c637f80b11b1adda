/** The web page and the client library, as `npm run build` leaves them in a folder. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from "fastify";
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

/**
 * Content types by extension, of what a build makes. Another extension stops the start: guessed, a browser that may not sniff
 * would refuse the file.
 */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "application/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
};

/**
 * A route for each file that the folder has now, and `/` for index.html: no other path is looked for on the disk. The files,
 * a few hundred KiB, are kept in memory, so a server goes on serving the page that it started with while another one is built.
 *
 * @throws Error for a file of an unknown extension
 */
export function pageRoutes(app: ZodServer, folder: string): void {
  app.register(async (scope) => {
    for (const name of namesUnder(folder)) {
      const content = readFileSync(join(folder, name));
      const headers = headersOf(name, content);
      const answer = (request: FastifyRequest, reply: FastifyReply) => {
        reply.headers(headers);
        if (isKnown(request.headers["if-none-match"], headers.etag)) return reply.code(304).send();
        return reply.send(content);
      };
      const schema = { hide: true };
      scope.get(`/${name}`, { schema }, answer);
      if (name === "index.html") scope.get("/", { schema }, answer);
    }
  });
}

/** In the form they have in a URL. */
function namesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
}

function headersOf(name: string, content: Buffer): Record<string, string> & { readonly etag: string } {
  const contentType = CONTENT_TYPES[extname(name)];
  if (contentType === undefined) throw new Error(`${name}: the page has a file of an unknown type`);
  return {
    "content-type": contentType,
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    // A name is looked up when somebody follows a link, not when they read what links to it.
    "x-dns-prefetch-control": "off",
    "cache-control": name.startsWith(HASHED) ? "public, max-age=31536000, immutable" : "no-cache",
    etag: `"${createHash("sha256").update(content).digest("base64url")}"`,
    ...(name === CLIENT_LIBRARY && {
      "cross-origin-resource-policy": "cross-origin",
      "access-control-allow-origin": "*",
    }),
  };
}

/** RFC 9110, 13.1.2: a list of tags, which a proxy that compresses may have made weak, or `*`. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}
