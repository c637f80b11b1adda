/** A back end says who its users are before they ever connect. */
import { readBearer } from "../auth/handshake.ts";
import { SharedSecret } from "../auth/shared-secret.ts";
import { Unauthorized } from "../auth/unauthorized.ts";
import { profile, userParams, userProvision } from "../protocol/http.ts";
import { profileBody } from "./bodies.ts";
import { SECURITY } from "./openapi.ts";
import { BODY_CODES, CALLER_CODES, refusals } from "./refusals.ts";
import type { HttpServices, ZodServer } from "./services.ts";

export function provisioningRoutes(scope: ZodServer, { users }: Pick<HttpServices, "users">, apiKey: string): void {
  const key = new SharedSecret("API_KEY", apiKey);
  scope.addHook("onRequest", async ({ headers, ip, log }) => {
    if (!key.accepts(readBearer(headers), ip, log)) {
      throw new Unauthorized("expected the API key: Authorization: Bearer <API_KEY>");
    }
  });

  scope.put(
    "/api/users/:id",
    {
      schema: {
        tags: ["users"],
        summary: "Stores a user; what is left out stays as it was",
        security: SECURITY.apiKey,
        params: userParams,
        body: userProvision,
        response: { 200: profile, ...refusals(...BODY_CODES, ...CALLER_CODES) },
      },
    },
    async ({ params, body }) =>
      profileBody(
        await users.identify({
          id: params.id,
          username: body.username,
          // Everybody has a name to be shown by, so that an empty one says nothing.
          name: body.name || undefined,
          firstName: body.first_name,
          lastName: body.last_name,
          avatar: body.avatar === "" ? null : body.avatar,
        }),
      ),
  );
}
