/** Who I am, and who else is there. */
import { profile, userList, userQuery } from "../protocol/http.ts";
import { profileBody } from "./bodies.ts";
import { callerOf } from "./caller.ts";
import { SECURITY } from "./openapi.ts";
import { CALLER_CODES, refusals } from "./refusals.ts";
import type { HttpServices, ZodServer } from "./services.ts";

export function userRoutes(scope: ZodServer, { users }: Pick<HttpServices, "users">): void {
  scope.get(
    "/api/me",
    {
      schema: {
        tags: ["users"],
        summary: "The caller's profile",
        security: SECURITY.caller,
        response: { 200: profile, ...refusals(...CALLER_CODES) },
      },
    },
    async (request) => profileBody(callerOf(request)),
  );

  scope.get(
    "/api/users",
    {
      schema: {
        tags: ["users"],
        summary: "Users by a part of their username or name, in the order of usernames",
        security: SECURITY.caller,
        querystring: userQuery,
        response: { 200: userList, ...refusals("invalid_frame", ...CALLER_CODES) },
      },
    },
    async ({ query }) => ({ results: (await users.search(query.search, query.limit)).map(profileBody) }),
  );
}
