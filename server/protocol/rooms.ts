/**
 * The rooms dialect: the events of `/rooms`, declared once. Source: the chat feature API's document; the group events at
 * the end and `seq`, `client_id` and `resumed` are additions.
 */
import { z } from "zod";
import { attachments, opaqueObject } from "./attachments.ts";
import { list, record } from "./bounded.ts";
import { ping, pong } from "./envelope.ts";
import {
  clientId,
  httpUrl,
  MAX_USERS,
  messageText,
  optional,
  resourceId,
  seq,
  text,
  timestamp,
  userId,
} from "./fields.ts";

/**
 * What a payload says of other people's reading is the server's to know: it is accepted, for it is what clients send, and
 * not looked at.
 */
const claimedRecipients = list(z.looseObject({ _id: text(128) }), MAX_USERS, "recipients");

/** The fields by which a payload says who sends it. Ids are compared with the token; names come from the profile. */
const claimedSender = {
  sender_id: optional(userId),
  first_name: optional(text(256)),
  last_name: optional(text(256)),
  dateCreated: optional(text(64)).describe("the server dates messages by its own clock"),
};

function messageFields(maxMessageChars: number) {
  return {
    _id: optional(resourceId).describe("becomes the message's id; makes a retry the same message"),
    client_id: optional(clientId),
    message: messageText(maxMessageChars),
    recipients: claimedRecipients.optional(),
    isStoryReply: z.boolean().optional(),
    reply_message: opaqueObject.optional().describe("what is answered; its _id is a message of the same room"),
    message_type: optional(text(64)),
    attachments: attachments.optional(),
    ...claimedSender,
  };
}

/** The events a client may send, each with the schema of its data. */
export function roomsClientEvents(maxMessageChars: number, maxSinceConversations = 1_000) {
  return {
    connectRooms: z.strictObject({
      user_id: optional(userId),
      first_name: optional(text(256)),
      since: record(resourceId, seq, maxSinceConversations, "rooms")
        .optional()
        .describe("for each room the last seq that was received"),
    }),
    sendMessage: z.strictObject({ room_id: resourceId, ...messageFields(maxMessageChars) }),
    typing: z.strictObject({ room_id: resourceId, message: text(256), user_id: optional(userId) }),
    sendNewMessage: z.strictObject({
      room_name: text(256),
      type: z.enum(["peer-to-peer", "group-chat"]),
      recipient_id: list(userId, MAX_USERS, "users").min(1),
      user_name: optional(text(256)),
      image_url: optional(httpUrl),
      message: z.strictObject(messageFields(maxMessageChars)),
    }),
    createGroup: z.strictObject({
      _id: optional(resourceId).describe("becomes the group's id"),
      room_name: text(256).min(1),
      recipients: list(userId, MAX_USERS, "users"),
      type: z.literal("group-chat").optional(),
      creator_id: optional(userId),
      image_url: optional(httpUrl),
    }),
    deleteMessage: z.strictObject({ message_id: resourceId, room_id: resourceId, user_id: optional(userId) }),
    editMessage: z.strictObject({
      message_id: resourceId,
      room_id: resourceId,
      message: messageText(maxMessageChars),
      user_id: optional(userId),
    }),
    messageSeen: z.strictObject({ message_id: resourceId, room_id: resourceId, user_id: optional(userId) }),
    pinMessage: z.strictObject({
      _id: resourceId,
      room_id: resourceId,
      pin_message: z.boolean("expected true or false"),
      user_id: optional(userId),
    }),
    addMembers: z.strictObject({ room_id: resourceId, members: list(userId, MAX_USERS, "users").min(1) }),
    removeMember: z.strictObject({ room_id: resourceId, user_id: userId }),
    leaveGroup: z.strictObject({ room_id: resourceId }),
    updateGroup: z.strictObject({
      room_id: resourceId,
      room_name: text(256).min(1).optional(),
      image_url: httpUrl.nullable().optional(),
    }),
    ping,
  } as const;
}

export type RoomsClientEvents = ReturnType<typeof roomsClientEvents>;

/** An answered message as it is now. */
export const roomsQuote = z.strictObject({
  _id: resourceId,
  message: z.string().describe("the first 1000 characters; empty when it was deleted"),
  sender_id: userId,
  first_name: z.string(),
  last_name: z.string(),
  dateCreated: timestamp,
  deleted: z.literal(true).optional(),
});
export type RoomsQuote = z.infer<typeof roomsQuote>;

/** A message as the server holds it: the data of `message` and of `<user id>`. */
export const roomsMessage = z.strictObject({
  _id: resourceId,
  room_id: resourceId,
  seq,
  message: z.string(),
  recipients: z
    .array(z.strictObject({ _id: userId, msg_seen: z.boolean() }))
    .describe("each other member; empty in rooms of more than 100"),
  isStoryReply: z.boolean(),
  reply_message: roomsQuote.partial().describe("what is answered, as it is; {} when nothing is"),
  message_type: z.string(),
  attachments: z.array(z.unknown()),
  sender_id: userId,
  first_name: z.string(),
  last_name: z.string(),
  dateCreated: timestamp,
  client_id: z.string().optional(),
  media_url: z.string().optional().describe("of a message that was sent through another dialect"),
  media_type: z.string().optional(),
  deleted: z.literal(true).optional().describe("a tombstone: no content"),
  repeated: z.literal(true).optional().describe("this client id was stored before; outside the order promise"),
});

/** A room as one member sees it: an item of `connectRooms`, the data of `group_<user id>`. */
export const room = z.strictObject({
  _id: resourceId,
  room_name: z.string().describe("the other person's name, in a peer-to-peer room"),
  type: z.enum(["peer-to-peer", "group-chat"]),
  recipients: z
    .array(
      z.strictObject({ _id: userId, first_name: z.string(), last_name: z.string(), image_url: z.string().nullable() }),
    )
    .describe("each other member; empty in rooms of more than 100"),
  creator_id: userId.nullable(),
  image_url: z.string().nullable(),
  last_message: roomsMessage.nullable(),
  unread_count: z.number().int().nonnegative(),
  seq,
});

const inRoom = { room_id: resourceId };

/** The events the server sends, besides those named after a user: `<user id>` (a message) and `group_<user id>` (a room). */
export const roomsServerEvents = {
  connectRooms: z.array(room),
  "more rooms": z.array(room),
  message: roomsMessage,
  typing: z.strictObject({ ...inRoom, message: z.string(), user_id: userId, first_name: z.string() }),
  delete: z.strictObject({ ...inRoom, message_id: resourceId, user_id: userId, seq }),
  edited: z.strictObject({
    ...inRoom,
    message_id: resourceId,
    message: z.string(),
    user_id: userId,
    seq,
    pin_message: z.boolean().optional().describe("in a replay, when the pin changed too"),
    pinned_by: userId.optional(),
  }),
  seen: z.strictObject({ ...inRoom, message_id: resourceId, user_id: userId, seq }),
  "pin message": z.strictObject({ ...inRoom, _id: resourceId, pin_message: z.boolean(), user_id: userId, seq }),
  "members added": z.strictObject({ ...inRoom, members: z.array(userId), user_id: userId }),
  "member removed": z.strictObject({
    ...inRoom,
    user_id: userId.describe("who is gone"),
    removed_by: userId,
    creator_id: userId.nullable(),
  }),
  "group updated": z.strictObject({
    ...inRoom,
    room_name: z.string(),
    image_url: z.string().nullable(),
    creator_id: userId.nullable(),
    user_id: userId,
  }),
  resumed: z.strictObject({ ...inRoom, seq }),
  resume_failed: z.strictObject({ ...inRoom, seq }),
  pong,
} as const;

export type RoomsServerEvents = { [Name in keyof typeof roomsServerEvents]: z.infer<(typeof roomsServerEvents)[Name]> };
export type RoomsMessage = z.infer<typeof roomsMessage>;
export type Room = z.infer<typeof room>;
