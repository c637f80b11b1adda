/** A room's messages: read, sent, marked as read. A room is a username or a conversation's id. */

import { ID_MARK } from "../core/conversations.ts";
import { Refusal } from "../core/errors.ts";
import type { Conversation, Profile } from "../core/model.ts";
import { toDraft } from "../message-draft.ts";
import {
  historyQuery,
  idempotencyHeaders,
  message,
  messagePage,
  newMessage,
  readRequest,
  readState,
  roomParams,
  sentMessage,
} from "../protocol/http.ts";
import { messageBody, type Pair, pairOf } from "./bodies.ts";
import { callerOf } from "./caller.ts";
import { historyLink, readHistory } from "./history.ts";
import { SECURITY } from "./openapi.ts";
import { BODY_CODES, CALLER_CODES, refusals } from "./refusals.ts";
import type { HttpServices, ZodServer } from "./services.ts";

type MessageServices = Pick<
  HttpServices,
  "conversations" | "messages" | "reading" | "maxMessageChars" | "maxPageBytes"
>;

export function messageRoutes(scope: ZodServer, services: MessageServices): void {
  const { conversations, messages, reading, maxMessageChars, maxPageBytes } = services;

  /** A direct conversation's two people; null for a group. */
  async function pairIn(conversation: Conversation, caller: Profile): Promise<Pair | null> {
    return conversation.type === "group" ? null : pairOf(caller, await conversations.view(caller, conversation.id));
  }

  scope.get(
    "/api/rooms/:room/messages",
    {
      schema: {
        tags: ["messages"],
        summary: "A page of a room's messages, newest first",
        security: SECURITY.caller,
        params: roomParams,
        querystring: historyQuery,
        response: { 200: messagePage, ...refusals("invalid_frame", "not_found", ...CALLER_CODES) },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { room } = request.params;
      const { conversation } = await conversations.find(caller, room);
      if (conversation === null) return { messages: [], next: null, previous: null };
      const pair = await pairIn(conversation, caller);
      const {
        messages: shown,
        older,
        newer,
      } = await readHistory(messages, conversation.id, request.query, {
        bytes: maxPageBytes,
        show: (each) => messageBody(each, pair),
      });
      return {
        messages: shown,
        next: older === null ? null : historyLink(nameIn(conversation, room), older),
        previous: newer === null ? null : historyLink(nameIn(conversation, room), newer),
      };
    },
  );

  scope.post(
    "/api/rooms/:room/messages",
    {
      schema: {
        tags: ["messages"],
        summary: "Sends a message; to a username, the direct conversation is made on first use",
        security: SECURITY.caller,
        params: roomParams,
        headers: idempotencyHeaders,
        body: newMessage(maxMessageChars),
        response: {
          200: sentMessage.describe("The client id was stored before: the first message, with `repeated`"),
          201: message,
          ...refusals(...BODY_CODES, "forbidden", "not_found", ...CALLER_CODES),
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { body, headers } = request;
      const clientId = oneClientId(body.client_id, headers["idempotency-key"]);
      const conversation = await conversations.open(caller, request.params.room);
      // Before the message is stored: an answer that storage cannot give afterwards would deny what was stored.
      const pair = await pairIn(conversation, caller);
      const { message: sent, repeated } = await messages.send(caller, conversation.id, {
        ...toDraft(body),
        clientId,
      });
      if (repeated) return reply.code(200).send({ ...messageBody(sent, pair), repeated: true });
      return reply.code(201).send(messageBody(sent, pair));
    },
  );

  scope.post(
    "/api/rooms/:room/read",
    {
      schema: {
        tags: ["messages"],
        summary: "Reads everything in a room, or up to a message; a cursor never moves back",
        security: SECURITY.caller,
        params: roomParams,
        body: readRequest,
        response: { 200: readState, ...refusals(...BODY_CODES, "forbidden", "not_found", ...CALLER_CODES) },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { id = null } = request.body;
      const { conversation } = await conversations.find(caller, request.params.room);
      if (conversation === null) {
        if (id !== null) throw new Refusal("forbidden", "this message is not yours to read");
        return { unread_count: 0, seq: 0 };
      }
      if (id === null) await reading.readAll(caller, conversation.id);
      else await reading.readUpTo(caller, conversation.id, id);
      const standing = await reading.standing(caller.id, conversation.id);
      // Removed from the group in between.
      if (standing === null) throw new Refusal("not_found", "no such room");
      return { unread_count: standing.unread, seq: standing.cursor };
    },
  );
}

/** What goes on naming this conversation, whoever takes which name meanwhile; also where a path cannot carry the name. */
function nameIn({ id, idChosen }: Conversation, asked: string): string {
  return idChosen || /^\.+$/.test(asked) ? ID_MARK + id : asked;
}

/** Two names for one thing, in the body and in the header. */
function oneClientId(field: string | undefined, header: string | undefined): string | null {
  if (field !== undefined && header !== undefined && field !== header) {
    throw new Refusal(
      "invalid_frame",
      "header.idempotency-key: expected the same as body.client_id, or one of the two",
    );
  }
  return field ?? header ?? null;
}
