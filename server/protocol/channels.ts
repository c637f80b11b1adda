/**
 * The channels dialect: the frames of `/ws/<room>/`, `/ws/notifications/` and `/ws/notifications/<user>/`, declared once.
 * Source: the Django Channels layout (path-routed consumers, `{"type": …}` frames). Types, checks and the tables of
 * `docs/protocol.md` come from here.
 */
import { z } from "zod";
import { attachments } from "./attachments.ts";
import { errorCode } from "./errors.ts";
import {
  clientId,
  mediaReference,
  mediaType,
  messageText,
  optional,
  resourceId,
  seq,
  storedUsername,
  text,
  timestamp,
} from "./fields.ts";

/** What a client may say of a message it sends; HTTP takes the same fields. */
export function messageFields(maxMessageChars: number) {
  return {
    message: messageText(maxMessageChars).default("").describe("the text; may be empty beside media or attachments"),
    multimedia_url: optional(mediaReference),
    media_type: optional(mediaType),
    message_type: optional(text(64)),
    attachments: attachments.optional(),
    reply_to: optional(resourceId),
    file_identifier: optional(text(512)),
    multimedia_url_expiration: optional(text(64)),
    client_id: optional(clientId),
  };
}

/** Answered with `pong` on every path: a page cannot see WebSocket pings. */
const ping = z.strictObject({ type: z.literal("ping") });

/** Of what a client changes: asks for an `ack`, and comes back in the `error` of a refusal. */
const acknowledged = { client_id: optional(clientId).describe("asks for an ack when it is done") };

/** The frames a client may send on `/ws/<room>/`. */
export function roomClientFrames(maxMessageChars: number) {
  return z.discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("chat_message"),
      ...messageFields(maxMessageChars),
      room: optional(text(300)).describe("any name of this same conversation"),
    }),
    z.strictObject({
      type: z.literal("read_messages"),
      id: optional(resourceId).describe("read up to this message; all without it"),
      ...acknowledged,
    }),
    z.strictObject({ type: z.literal("typing"), is_typing: z.boolean("expected true or false") }),
    z.strictObject({
      type: z.literal("edit_message"),
      id: resourceId,
      message: messageText(maxMessageChars),
      ...acknowledged,
    }),
    z.strictObject({ type: z.literal("delete_message"), id: resourceId, ...acknowledged }),
    z.strictObject({
      type: z.literal("pin_message"),
      id: resourceId,
      pinned: z.boolean("expected true or false"),
      ...acknowledged,
    }),
    ping,
  ]);
}

export type RoomClientFrame = z.infer<ReturnType<typeof roomClientFrames>>;

/** The one frame a client may send on `/ws/notifications/` and `/ws/notifications/<user>/`. */
export const notificationsClientFrame = z.discriminatedUnion("type", [ping]);
export type NotificationsClientFrame = z.infer<typeof notificationsClientFrame>;

const fromUser = z.strictObject({ username: storedUsername });

export const chatMessage = z.strictObject({
  type: z.literal("chat_message"),
  id: resourceId,
  seq,
  message: z.string(),
  multimedia_url: z.string().nullable(),
  date_added: timestamp,
  from_user: fromUser,
  room: z.string().describe("what this socket was opened with"),
  client_id: z.string().optional(),
  media_type: mediaType.optional(),
  message_type: z.string().optional(),
  attachments: z.array(z.unknown()).optional(),
  reply_to: z.string().optional(),
  file_identifier: z.string().optional(),
  multimedia_url_expiration: z.string().optional(),
  repeated: z.literal(true).optional().describe("this client id was stored before; outside the order promise"),
});
export const userJoin = z.strictObject({ type: z.literal("user_join"), user: storedUsername });
export const userLeave = z.strictObject({ type: z.literal("user_leave"), user: storedUsername });
export const onlineUserList = z.strictObject({
  type: z.literal("online_user_list"),
  users: z.array(storedUsername),
  total: z.number().int().optional().describe("in a large room, where users holds at most 100"),
});
export const messagesRead = z.strictObject({
  type: z.literal("messages_read"),
  user: storedUsername,
  id: resourceId,
  seq,
  date_read: timestamp,
});
export const userTyping = z.strictObject({
  type: z.literal("user_typing"),
  user: storedUsername,
  is_typing: z.boolean(),
});
export const messageEdited = z.strictObject({
  type: z.literal("message_edited"),
  id: resourceId,
  seq,
  message: z.string(),
  date_edited: timestamp,
  from_user: fromUser,
  pinned: z.boolean().optional().describe("in a replay, when the pin changed too"),
  pinned_by: storedUsername.nullable().optional(),
});
export const messageDeleted = z.strictObject({
  type: z.literal("message_deleted"),
  id: resourceId,
  seq,
  deleted_by: storedUsername,
});
export const messagePinned = z.strictObject({
  type: z.literal("message_pinned"),
  id: resourceId,
  seq,
  pinned: z.boolean(),
  pinned_by: storedUsername,
});
export const resumed = z.strictObject({ type: z.literal("resumed"), seq });
export const resumeFailed = z.strictObject({ type: z.literal("resume_failed"), seq });
export const ack = z.strictObject({
  type: z.literal("ack"),
  client_id: z.string().describe("of the frame that was done"),
});
export const pong = z.strictObject({ type: z.literal("pong") });
export const errorFrame = z.strictObject({
  type: z.literal("error"),
  code: errorCode,
  message: z.string(),
  event: z.string().optional().describe("the type of the frame that was refused"),
  client_id: z.string().optional(),
  retry_after: z.number().int().positive().optional().describe("milliseconds; with rate_limited"),
});

/** The frames the server sends on `/ws/<room>/`. */
export const roomServerFrame = z.discriminatedUnion("type", [
  chatMessage,
  userJoin,
  userLeave,
  onlineUserList,
  messagesRead,
  userTyping,
  messageEdited,
  messageDeleted,
  messagePinned,
  resumed,
  resumeFailed,
  ack,
  pong,
  errorFrame,
]);
export type RoomServerFrame = z.infer<typeof roomServerFrame>;

const unreadCount = z.number().int().nonnegative();

/** The frames the server sends on `/ws/notifications/`. */
export const notificationsServerFrame = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("unread_count"), unread_count: unreadCount }),
  z.strictObject({ type: z.literal("new_message_notification"), unread_count: unreadCount }),
  pong,
  errorFrame,
]);
export type NotificationsServerFrame = z.infer<typeof notificationsServerFrame>;

/** The frames the server sends on `/ws/notifications/<user>/`. */
export const conversationNotificationsServerFrame = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("single_conversation_unread_count"), unread_count: unreadCount }),
  z.strictObject({ type: z.literal("single_conversation_new_message_notification") }),
  z.strictObject({
    type: z.literal("single_conversation_last_message"),
    last_message: z.string(),
    last_datetime: timestamp,
  }),
  pong,
  errorFrame,
]);
export type ConversationNotificationsServerFrame = z.infer<typeof conversationNotificationsServerFrame>;
