/**
 * Tokens for the asking, while no key is configured: to who knows the secret that only the log shows, and, should it leak, to
 * clients on this machine alone and to no web page of another's.
 */
import type { FastifyRequest } from "fastify";
import { askingSecret, signDevelopmentToken } from "../auth/development-secret.ts";
import { isLoopback, isLoopbackHost } from "../auth/loopback.ts";
import { checkOrigin } from "../auth/origin.ts";
import { SharedSecret } from "../auth/shared-secret.ts";
import { Refusal } from "../core/errors.ts";
import { developmentToken, developmentTokenRequest } from "../protocol/http.ts";
import { profileBody } from "./bodies.ts";
import { isProxied } from "./proxied.ts";
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

function requireLocalClient(
  request: FastifyRequest,
  { allowedOrigins, trustedProxies }: Pick<HttpServices, "allowedOrigins" | "trustedProxies">,
): void {
  const { remoteAddress } = request.socket;
  // Nor through a proxy that is trusted: what it hands on unread, its client has written.
  if (!isLoopback(remoteAddress) || isProxied(request) || trustedProxies?.has(remoteAddress) === true) {
    throw new Refusal("forbidden", "development tokens are for clients on the server's own machine");
  }
  // A name of a foreign page's that points to this machine would pass for the same origin (DNS rebinding).
  if (!isLoopbackHost(request.headers.host) || !checkOrigin(request, allowedOrigins)) {
    throw new Refusal("forbidden", "development tokens are for pages of this server, opened as localhost");
  }
}
