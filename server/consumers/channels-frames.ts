/** The channels dialect's answer to each of the core's events. */

import type { ChangedMessage } from "../core/catch-up.ts";
import type { ConversationEvent } from "../core/events.ts";
import type { Message } from "../core/model.ts";
import type { RoomServerFrame } from "../protocol/channels.ts";
import type { Delivery } from "../transport/delivery.ts";

type ServerFrame<Type extends RoomServerFrame["type"]> = Extract<RoomServerFrame, { type: Type }>;

/** The name that a socket was opened with, as the frames to it are told by. */
export interface RoomName {
  readonly room: string;
  /** Of the frames that say it. */
  readonly key: string;
}

export function roomName(room: string): RoomName {
  return { room, key: `channels:${room}` };
}

/**
 * The frame for sockets opened with that name: null where this dialect has none. Encoded once for all of them, and once
 * for all names where the frame does not say it.
 */
export function roomFrame(delivery: Delivery, { room, key }: RoomName): Buffer | null {
  const { event } = delivery;
  return delivery.frame(event.type === "message_created" ? key : "channels", () => encode(event, room));
}

function encode(event: ConversationEvent, room: string): RoomServerFrame | null {
  switch (event.type) {
    case "message_created":
      return chatMessage(event.message, room);
    case "message_edited":
      return messageEdited(event.message, event.seq);
    case "message_deleted":
      return messageDeleted(event.message, event.seq, event.actor.username);
    case "message_pinned":
      return messagePinned(event.message, event.seq, event.pinned, event.actor.username);
    case "messages_read": {
      const { user, messageId: id, seq, readAt: date_read, announced } = event;
      return announced ? { type: "messages_read", user: user.username, id, seq, date_read } : null;
    }
    case "typing":
      return { type: "user_typing", user: event.user.username, is_typing: event.isTyping };
    case "presence_changed":
      return { type: event.present ? "user_join" : "user_leave", user: event.username };
    case "presence_listed":
      return { type: "online_user_list", users: [...event.usernames] };
    case "members_added":
    case "member_removed":
    case "group_updated":
      return null;
  }
}

/** `seq`: of the creation; in a replay, of the last change. */
export function chatMessage(message: Message, room: string, seq = message.seq): ServerFrame<"chat_message"> {
  return {
    type: "chat_message",
    id: message.id,
    seq,
    message: message.text,
    multimedia_url: message.mediaUrl,
    date_added: message.createdAt,
    from_user: { username: message.sender.username },
    room,
    ...(message.clientId !== null && { client_id: message.clientId }),
    ...(message.mediaType !== null && { media_type: message.mediaType }),
    ...(message.messageType !== null && { message_type: message.messageType }),
    ...(message.attachments.length > 0 && { attachments: [...message.attachments] }),
    ...(message.replyTo !== null && { reply_to: message.replyTo }),
    ...(message.fileIdentifier !== null && { file_identifier: message.fileIdentifier }),
    ...(message.mediaUrlExpiration !== null && { multimedia_url_expiration: message.mediaUrlExpiration }),
  };
}

function messageEdited(message: Message, seq: number): ServerFrame<"message_edited"> {
  return {
    type: "message_edited",
    id: message.id,
    seq,
    message: message.text,
    date_edited: message.editedAt ?? message.createdAt,
    from_user: { username: message.sender.username },
  };
}

function messageDeleted(message: Message, seq: number, deletedBy: string): ServerFrame<"message_deleted"> {
  return { type: "message_deleted", id: message.id, seq, deleted_by: deletedBy };
}

function messagePinned(
  message: Message,
  seq: number,
  pinned: boolean,
  pinnedBy: string,
): ServerFrame<"message_pinned"> {
  return { type: "message_pinned", id: message.id, seq, pinned, pinned_by: pinnedBy };
}

/** One changed message of a replay, in its newest state, with the number of its last change when the replay began. */
export function replayFrame({ message, seq, kind, pinActor }: ChangedMessage, room: string): RoomServerFrame {
  const pinned = message.pinnedAt !== null;
  const pinnedBy = pinActor?.username ?? message.pinnedBy?.username ?? message.sender.username;
  switch (kind) {
    case "created":
      return chatMessage(message, room, seq);
    case "edited":
      return messageEdited(message, seq);
    case "edited_and_pinned":
      return { ...messageEdited(message, seq), pinned, pinned_by: pinnedBy };
    case "pinned":
      return messagePinned(message, seq, pinned, pinnedBy);
    case "deleted":
      return messageDeleted(message, seq, message.deletedBy?.username ?? message.sender.username);
  }
}
