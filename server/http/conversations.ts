/** The caller's conversations: listed, and looked at one by one. */
import type { Profile } from "../core/model.ts";
import { firstPage } from "../core/pages.ts";
import type { ListedConversation } from "../core/store.ts";
import {
  type ConversationDetailsBody,
  conversationDetails,
  conversationPage,
  conversationParams,
  conversationQuery,
  MAX_LISTED_MEMBERS,
} from "../protocol/http.ts";
import { conversationBody, profileBody } from "./bodies.ts";
import { callerOf } from "./caller.ts";
import { readCursor, writeCursor } from "./conversation-cursor.ts";
import { sized } from "./history.ts";
import { SECURITY } from "./openapi.ts";
import { CALLER_CODES, refusals } from "./refusals.ts";
import type { HttpServices, ZodServer } from "./services.ts";

export type ConversationServices = Pick<HttpServices, "conversations" | "groups" | "maxPageBytes">;

export function conversationRoutes(scope: ZodServer, services: ConversationServices): void {
  const { conversations, maxPageBytes } = services;

  scope.get(
    "/api/conversations",
    {
      schema: {
        tags: ["conversations"],
        summary: "The caller's conversations, newest first: direct ones from their first message on, and groups",
        security: SECURITY.caller,
        querystring: conversationQuery,
        response: { 200: conversationPage, ...refusals("invalid_frame", ...CALLER_CODES) },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { limit, cursor } = request.query;
      const before = cursor === undefined ? null : readCursor(cursor);
      const { views, next } = await conversations.views(caller, limit, before, maxPageBytes);
      const page = firstPage(
        views.map((view) => sized({ view, body: conversationBody(view, caller) })),
        maxPageBytes,
      );
      const end = page.length < views.length ? (page.at(-1)?.view ?? null) : next;
      return { results: page.map(({ body }) => body), next: end === null ? null : nextLink(end, limit) };
    },
  );

  scope.get(
    "/api/conversations/:id",
    {
      schema: {
        tags: ["conversations"],
        summary: "One conversation of the caller's, with its members",
        security: SECURITY.caller,
        params: conversationParams,
        response: { 200: conversationDetails, ...refusals("invalid_frame", "not_found", ...CALLER_CODES) },
      },
    },
    async (request) => detailsOf(services, callerOf(request), request.params.id),
  );
}

/** @throws Refusal `not_found` */
export async function detailsOf(
  { conversations, groups }: ConversationServices,
  reader: Profile,
  id: string,
): Promise<ConversationDetailsBody> {
  const view = await conversations.view(reader, id);
  const members =
    view.otherUser === null
      ? await groups.members(reader, id, MAX_LISTED_MEMBERS)
      : pairMembers(reader, view.otherUser);
  return {
    ...conversationBody(view, reader),
    creator_id: view.creatorId,
    members: members.map(profileBody),
  };
}

function pairMembers(self: Profile, other: Profile): Profile[] {
  return self.id === other.id ? [self] : [self, other];
}

function nextLink(last: ListedConversation, limit: number): string {
  return `/api/conversations?${new URLSearchParams({ limit: String(limit), cursor: writeCursor(last) })}`;
}
