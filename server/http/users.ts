/** Who I am, and who else is there. */
import { profile, userList, userQuery } from "../protocol/http.ts";
import { profileBody } from "./bodies.ts";
import { callerOf } from "./caller.ts";
import { SECURITY } from "./openapi.ts";
import { CALLER_CODES, refusals } from "./refusals.ts";
import type { HttpServices, ZodServer } from "./services.ts";

export function userRoutes(scope: ZodServer, { directory }: Pick<HttpServices, "directory">): void {
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
        summary: "Users by the beginnings of words of their username or name, in the order of usernames",
        description:
          "Each word of the text begins a word of the username or the name, in any case; blanks and punctuation are between words. " +
          "USER_DIRECTORY decides who is found: all users, those who share a conversation with the caller, or nobody.",
        security: SECURITY.caller,
        querystring: userQuery,
        response: { 200: userList, ...refusals("invalid_frame", ...CALLER_CODES) },
      },
    },
    async (request) => {
      const { search, limit } = request.query;
      return { results: (await directory.search(callerOf(request).id, search, limit)).map(profileBody) };
    },
  );
}
