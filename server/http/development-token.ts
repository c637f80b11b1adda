/**
 * Tokens for the asking, while no key is configured: to who knows the secret that only the log shows, and, should it leak, to
 * clients on this machine alone and to no web page of another's.
 */
import type { FastifyRequest } from "fastify";
import { askingSecret, signDevelopmentToken } from "../auth/development-secret.ts";
import { isLoopback } from "../auth/loopback.ts";
import { checkOrigin } from "../auth/origin.ts";
import { SharedSecret } from "../auth/shared-secret.ts";
import { Refusal } from "../core/errors.ts";
import { developmentToken, developmentTokenRequest } from "../protocol/http.ts";
import { profileBody } from "./bodies.ts";
import { BODY_CODES, refusals } from "./refusals.ts";
import type { HttpServices, ZodServer } from "./services.ts";

/** 30 days. */
const LIFETIME_SECONDS = 30 * 24 * 60 * 60;

export function developmentTokenRoutes(
  scope: ZodServer,
  services: Pick<HttpServices, "users" | "allowedOrigins" | "trustedProxies">,
  secret: string,
): void {
  const { users } = services;
  const asking = new SharedSecret("secret for development tokens", askingSecret(secret));
  scope.addHook("onRequest", async (request) => requireLocalClient(request, services));

  scope.post(
    "/api/dev/token",
    {
      schema: {
        tags: ["development"],
        summary: "A token for whoever asks on this machine; exists only while no key is configured",
        body: developmentTokenRequest,
        response: {
          200: developmentToken,
          ...refusals(...BODY_CODES, "forbidden", "conflict", "unavailable", "rate_limited"),
        },
      },
    },
    async ({ body, ip, log }) => {
      if (!asking.accepts(body.secret ?? null, ip, log)) {
        throw new Refusal("forbidden", "expected the secret that the server's log shows when it starts");
      }
      const { username } = body;
      // Stored at once, so that others find them before they first connect.
      const user = await users.identify({ id: username, username });
      return { token: await signDevelopmentToken(secret, user, LIFETIME_SECONDS), user: profileBody(user) };
    },
  );
}

/**
 * What a proxy adds. Behind one on this machine, every client's address is the loopback, and what a proxy hands on unread
 * the client has written. So no token goes through one, whether it is trusted or not, and says so or not.
 */
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

function requireLocalClient(
  request: FastifyRequest,
  { allowedOrigins, trustedProxies }: Pick<HttpServices, "allowedOrigins" | "trustedProxies">,
): void {
  const { remoteAddress } = request.socket;
  const isProxied =
    PROXY_HEADERS.some((name) => request.headers[name] !== undefined) || trustedProxies?.has(remoteAddress) === true;
  if (!isLoopback(remoteAddress) || isProxied) {
    throw new Refusal("forbidden", "development tokens are for clients on the server's own machine");
  }
  // A name of a foreign page's that points to this machine would pass for the same origin (DNS rebinding).
  if (!isLoopbackHost(request.headers.host) || !checkOrigin(request, allowedOrigins)) {
    throw new Refusal("forbidden", "development tokens are for pages of this server, opened as localhost");
  }
}

function isLoopbackHost(host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false;
  const name = new URL(`http://${host}`).hostname.replace(/^\[(.*)\]$/, "$1");
  return name === "localhost" || name.endsWith(".localhost") || isLoopback(name);
}
