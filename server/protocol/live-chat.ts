/**
 * The live chat dialect: the events of `/chat`, declared once. Source: the live media chat's document (`chat:message_send`,
 * `chat:message_receive`); the others are additions in its manner.
 */
import { z } from "zod";
import { attachments } from "./attachments.ts";
import { record } from "./bounded.ts";
import { ping, pong } from "./envelope.ts";
import { clientId, httpUrl, mediaType, messageText, optional, resourceId, seq, timestamp, userId } from "./fields.ts";

/** The events a client may send, each with the schema of its data. */
export function liveChatClientEvents(maxMessageChars: number) {
  return {
    "chat:message_send": z
      .strictObject({
        receiverId: optional(userId).describe("the user to write to; or chatId"),
        chatId: optional(resourceId).describe("a conversation of one's own, direct or group"),
        content: messageText(maxMessageChars).describe("may be empty beside media"),
        mediaUrl: optional(httpUrl),
        LiveMediaType: optional(mediaType),
        mediaType: optional(mediaType).describe("the same as LiveMediaType"),
        attachments: attachments.optional(),
        replyTo: optional(resourceId),
        clientId: optional(clientId).describe("makes a retry the same message"),
        senderId: optional(userId).describe("one's own id, if anything"),
      })
      .refine((data) => (data.receiverId === undefined) !== (data.chatId === undefined), {
        path: ["receiverId"],
        error: "expected either receiverId or chatId",
      }),
    "chat:message_edit": z.strictObject({ messageId: resourceId, content: messageText(maxMessageChars) }),
    "chat:message_delete": z.strictObject({ messageId: resourceId }),
    "chat:message_pin": z.strictObject({ messageId: resourceId, pinned: z.boolean("expected true or false") }),
    "chat:message_read": z.strictObject({ messageId: resourceId }),
    "chat:typing_start": z.strictObject({ chatId: resourceId }),
    "chat:typing_stop": z.strictObject({ chatId: resourceId }),
    "user:get_status": z.strictObject({ userId }),
    ping,
  } as const;
}

export type LiveChatClientEvents = ReturnType<typeof liveChatClientEvents>;

/** The `since` of `/chat?since=…`: for each chat the last seq that was received, as JSON. */
export function liveChatSince(maxConversations: number) {
  return record(resourceId, seq, maxConversations, "conversations");
}

/** The events the server sends, each with the schema of its data. */
export const liveChatServerEvents = {
  "chat:message_receive": z.strictObject({
    id: resourceId,
    chatId: resourceId,
    content: z.string(),
    mediaUrl: z.string().nullable(),
    mediaType: mediaType.nullable(),
    sender: z.strictObject({ id: userId, name: z.string(), avatar: z.string().nullable() }),
    createdAt: timestamp,
    seq,
    clientId: z.string().optional(),
    attachments: z.array(z.unknown()).optional(),
    replyTo: z.string().optional(),
    repeated: z.literal(true).optional().describe("this client id was stored before; outside the order promise"),
  }),
  "chat:message_edited": z.strictObject({
    messageId: resourceId,
    chatId: resourceId,
    content: z.string(),
    editedAt: timestamp,
    editedBy: userId,
    seq,
    pinned: z.boolean().optional().describe("in a replay, when the pin changed too"),
    pinnedBy: userId.optional(),
  }),
  "chat:message_deleted": z.strictObject({ messageId: resourceId, chatId: resourceId, deletedBy: userId, seq }),
  "chat:message_pinned": z.strictObject({
    messageId: resourceId,
    chatId: resourceId,
    pinned: z.boolean(),
    pinnedBy: userId,
    seq,
  }),
  "chat:message_read": z.strictObject({ messageId: resourceId, chatId: resourceId, readBy: userId, seq }),
  "chat:typing_start": z.strictObject({ chatId: resourceId, userId }),
  "chat:typing_stop": z.strictObject({ chatId: resourceId, userId }),
  "chat:resumed": z.strictObject({ chatId: resourceId, seq }),
  "chat:resume_failed": z.strictObject({ chatId: resourceId, seq }),
  "user:status": z.strictObject({
    userId,
    status: z.enum(["online", "offline"]),
    lastSeen: timestamp.nullable().describe("when their last socket closed; null while online, or if there was none"),
  }),
  pong,
} as const;

export type LiveChatServerEvents = {
  [Name in keyof typeof liveChatServerEvents]: z.infer<(typeof liveChatServerEvents)[Name]>;
};
