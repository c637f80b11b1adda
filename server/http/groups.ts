/** Groups: made, changed, joined and left. The creator manages; anyone may leave. */
import { z } from "zod";
import {
  conversationDetails,
  conversationParams,
  groupChanges,
  memberParams,
  membersAdded,
  newGroup,
  newMembers,
} from "../protocol/http.ts";
import { profileBody } from "./bodies.ts";
import { callerOf } from "./caller.ts";
import { type ConversationServices, detailsOf } from "./conversations.ts";
import { SECURITY } from "./openapi.ts";
import { BODY_CODES, CALLER_CODES, refusals } from "./refusals.ts";
import type { ZodServer } from "./services.ts";

export function groupRoutes(scope: ZodServer, services: ConversationServices): void {
  const { groups } = services;

  scope.post(
    "/api/conversations",
    {
      schema: {
        tags: ["conversations"],
        summary: "Makes a group of the caller and the users named",
        security: SECURITY.caller,
        body: newGroup,
        response: { 201: conversationDetails, ...refusals(...BODY_CODES, "forbidden", ...CALLER_CODES) },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { id = null, name, image_url: imageUrl = null, members } = request.body;
      const group = await groups.create(caller, { id, name, imageUrl, members });
      reply.code(201).header("location", `/api/conversations/${group.id}`);
      return detailsOf(services, caller, group.id);
    },
  );

  scope.patch(
    "/api/conversations/:id",
    {
      schema: {
        tags: ["conversations"],
        summary: "Changes a group's name or image; the creator's alone",
        security: SECURITY.caller,
        params: conversationParams,
        body: groupChanges,
        response: {
          200: conversationDetails,
          ...refusals(...BODY_CODES, "forbidden", "not_found", ...CALLER_CODES),
        },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { name, image_url: imageUrl } = request.body;
      const fields = { ...(name === undefined ? {} : { name }), ...(imageUrl === undefined ? {} : { imageUrl }) };
      await groups.update(caller, request.params.id, fields);
      return detailsOf(services, caller, request.params.id);
    },
  );

  scope.post(
    "/api/conversations/:id/members",
    {
      schema: {
        tags: ["conversations"],
        summary: "Adds users to a group; the creator's alone, but for who left, was invited, and adds themselves",
        security: SECURITY.caller,
        params: conversationParams,
        body: newMembers,
        response: { 200: membersAdded, ...refusals(...BODY_CODES, "forbidden", "not_found", ...CALLER_CODES) },
      },
    },
    async (request) => {
      const { added, invited } = await groups.add(callerOf(request), request.params.id, request.body.members);
      return {
        added: added.map(profileBody),
        ...(invited.length > 0 && { invited: invited.map(profileBody) }),
      };
    },
  );

  scope.delete(
    "/api/conversations/:id/members/:user",
    {
      schema: {
        tags: ["conversations"],
        summary: "Takes a user, by id or username, out of a group: the creator anyone, everybody themselves",
        security: SECURITY.caller,
        params: memberParams,
        response: {
          204: z.undefined().describe("They are no longer a member"),
          ...refusals("invalid_frame", "forbidden", "not_found", ...CALLER_CODES),
        },
      },
    },
    async (request, reply) => {
      await groups.remove(callerOf(request), request.params.id, request.params.user);
      return reply.code(204).send();
    },
  );
}
