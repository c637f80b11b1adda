/**
 * The HTTP requests and answers, declared once: the routes are checked by these schemas and the OpenAPI document is made
 * of them. In answers every field is always there, null where there is nothing to say, unless it is said otherwise.
 */
import { z } from "zod";
import { list } from "./bounded.ts";
import { messageFields } from "./channels.ts";
import { type ErrorCode, errorBody } from "./errors.ts";
import {
  clientId,
  MAX_USERS,
  mediaReference,
  mediaType,
  resourceId,
  seq,
  storedUsername,
  text,
  timestamp,
  userId,
  username,
} from "./fields.ts";
import { type RoomsQuote, roomsQuote } from "./rooms.ts";

/** UTF-16 units of a person's or a group's name. */
const MAX_NAME = 256;

/** A user id or a username. */
const idOrUsername = text(150).min(1, "expected a user id or a username");

const count = z.number().int().nonnegative();

// Answers

export const profile = z
  .strictObject({
    id: userId,
    username: storedUsername,
    name: z.string(),
    first_name: z.string(),
    last_name: z.string(),
    avatar: z.string().nullable(),
  })
  .meta({ id: "Profile" });
export type ProfileBody = z.infer<typeof profile>;

const userReference = z.strictObject({ id: userId, username: storedUsername }).meta({ id: "UserReference" });

export type QuoteBody = RoomsQuote;

const messageShape = z.strictObject({
  id: resourceId,
  conversation_id: resourceId,
  seq: seq.describe("the conversation's number that the creation took"),
  from_user: profile,
  to_user: profile.optional().describe("the receiver; in a direct conversation only"),
  date_added: timestamp,
  content: z.string().describe("the text; empty in a deleted message"),
  multimedia_url: z.string().nullable(),
  media_type: mediaType.nullable(),
  message_type: z.string().nullable(),
  attachments: z.array(z.union([z.string(), z.record(z.string(), z.unknown())])),
  reply_to: resourceId.nullable().describe("id of the message that this one answers"),
  reply_message: roomsQuote.nullable().describe("that message, as it is"),
  is_story_reply: z.boolean(),
  file_identifier: z.string().nullable(),
  multimedia_url_expiration: z.string().nullable(),
  client_id: z.string().nullable(),
  date_edited: timestamp.nullable(),
  deleted: z.boolean().describe("a deleted message keeps its place, without content"),
  date_deleted: timestamp.nullable(),
  deleted_by: userReference.nullable(),
  pinned: z.boolean(),
  date_pinned: timestamp.nullable(),
  pinned_by: userReference.nullable(),
});
export const message = messageShape.meta({ id: "Message" });
export type MessageBody = z.infer<typeof message>;

export const sentMessage = messageShape.extend({
  repeated: z.literal(true).optional().describe("this client id was stored before: the first message, as it now is"),
});

const conversationShape = z.strictObject({
  id: resourceId,
  type: z.enum(["direct", "group"]),
  name: z.string().describe("a group's; in a direct conversation the other person's"),
  image_url: z.string().nullable().describe("a group's; in a direct conversation the other person's avatar"),
  other_user: profile.nullable().describe("the other person of a direct conversation; null for a group"),
  members_count: count,
  last_message: message.nullable(),
  unread_count: count,
  seq: seq.describe("the number of the newest change"),
  updated_at: timestamp,
});
export const conversation = conversationShape.meta({ id: "Conversation" });
export type ConversationBody = z.infer<typeof conversation>;

export const MAX_LISTED_MEMBERS = 100;

export const conversationDetails = conversationShape
  .extend({
    creator_id: userId.nullable().describe("who manages a group; null when they left, and for a direct conversation"),
    members: z.array(profile).describe(`the first ${MAX_LISTED_MEMBERS} by the time they joined`),
  })
  .meta({ id: "ConversationDetails" });
export type ConversationDetailsBody = z.infer<typeof conversationDetails>;

/** Path and query of another page; null exactly when there is nothing there. */
const link = z.string().nullable();

export const userList = z.strictObject({ results: z.array(profile) });
export const conversationPage = z.strictObject({ results: z.array(conversation), next: link });
export const messagePage = z.strictObject({
  messages: z.array(message).describe("newest first"),
  next: link.describe("the page of older ones"),
  previous: link.describe("the page of newer ones"),
});
export const readState = z.strictObject({
  unread_count: count,
  seq: seq.describe("the reader's cursor: the highest seq read; 0 before the first"),
});
export const membersAdded = z.strictObject({
  added: z.array(profile).describe("those who were not members before"),
  invited: z
    .array(profile)
    .optional()
    .describe("those who had left by themselves, where there are any: they may add themselves"),
});
export const developmentToken = z.strictObject({ token: z.string(), user: profile });
export const alive = z.strictObject({ status: z.literal("ok") });

const health = z.enum(["ok", "unavailable"]);
export const readiness = z.strictObject({
  status: z.enum([...health.options, "stopping"]),
  storage: health,
  channel_layer: health,
});
export type ReadinessBody = z.infer<typeof readiness>;

/** The body of an error, with the codes that it may carry on some route. */
export function errorBodyWith(codes: readonly [ErrorCode, ...ErrorCode[]]) {
  return errorBody.extend({ error: errorBody.shape.error.extend({ code: z.enum(codes) }) });
}

// Requests

/** A whole number in a query: digits alone, so that neither `1e3` nor `0x10` nor an empty string is one. */
function wholeNumber(minimum: number, maximum: number) {
  const expected =
    maximum === Number.MAX_SAFE_INTEGER
      ? "expected a whole number"
      : `expected a whole number from ${minimum} to ${maximum}`;
  return z
    .string(expected)
    .refine((value) => /^\d{1,16}$/.test(value) && Number(value) >= minimum && Number(value) <= maximum, expected)
    .transform(Number);
}

function limit(standard: number, maximum: number) {
  // zod leaves the default of what it transforms out of JSON Schema, wherever it is written.
  const description = `${standard} without it`;
  return wholeNumber(1, maximum).default(standard).meta({ type: "integer", minimum: 1, maximum, description });
}

function place(description: string) {
  return wholeNumber(0, Number.MAX_SAFE_INTEGER).optional().meta({ type: "integer", minimum: 0, description });
}

export const userQuery = z.strictObject({
  search: text(150).default("").describe("beginnings of words of a username or name; all users without it"),
  limit: limit(20, 100),
});

export const conversationQuery = z.strictObject({
  limit: limit(20, 100),
  cursor: z.string("expected one value").max(512, "expected a cursor from next").optional().describe("from `next`"),
});

export const historyQuery = z.strictObject({
  before: place("seq at creation, exclusive: the page of older messages"),
  after: place("seq at creation, exclusive: the page right after it; beside `before`, where `next` ends"),
  limit: limit(50, 200),
  pinned: z
    .enum(["true", "false"], "expected true or false")
    .optional()
    .transform((value) => value === "true")
    .meta({ type: "boolean", enum: [true, false], description: "pinned messages alone" }),
});
export type HistoryQuery = z.infer<typeof historyQuery>;

export const roomParams = z.strictObject({
  room: text(150)
    .min(1)
    .describe("a username, for the direct conversation with them, or ~ and a conversation's id; or the id alone"),
});
export const conversationParams = z.strictObject({ id: resourceId });
export const memberParams = z.strictObject({ id: resourceId, user: idOrUsername });
export const userParams = z.strictObject({ id: userId });

const groupName = text(MAX_NAME).min(1, `expected 1 to ${MAX_NAME} characters`);
const members = list(idOrUsername, MAX_USERS, "users").describe("user ids or usernames");

export const newGroup = z.strictObject({
  type: z.literal("group", "expected group; a direct conversation is made by sending to a username"),
  name: groupName,
  members: members.default([]).describe("user ids or usernames; the caller is a member in any case"),
  image_url: mediaReference.nullish(),
  id: resourceId.optional().describe("the id that the group is to have; the answer says which it has"),
});

export const groupChanges = z
  .strictObject({ name: groupName.optional(), image_url: mediaReference.nullish().describe("null takes it away") })
  .refine(({ name, image_url }) => name !== undefined || image_url !== undefined, "expected name, image_url or both");

export const newMembers = z.strictObject({ members: members.min(1, "expected at least one user") });

export function newMessage(maxMessageChars: number) {
  return z.strictObject(messageFields(maxMessageChars));
}

/** Other headers are none of our business. */
export const idempotencyHeaders = z.looseObject({
  "idempotency-key": clientId.optional().describe("the client id: the same key again makes no second message"),
});

export const readRequest = z
  .strictObject({ id: resourceId.optional().describe("read up to this message; all without it") })
  .default({});

const avatar = z.union([z.literal(""), mediaReference], "expected an http or https URL or a relative one");

/** What is left out stays as it was. */
export const userProvision = z
  .strictObject({
    username: username.optional().describe("without it a new user's id is their username"),
    name: text(MAX_NAME).optional(),
    first_name: text(MAX_NAME).optional(),
    last_name: text(MAX_NAME).optional(),
    avatar: avatar.nullish().describe("null or empty: none"),
  })
  .default({});

/** The username becomes the user's id, so it is no longer than an id may be. */
export const developmentTokenRequest = z.strictObject({
  username: username.max(128, "expected at most 128 characters"),
  secret: z.string().max(256).optional().describe("the one that the server's log shows when it starts"),
});
