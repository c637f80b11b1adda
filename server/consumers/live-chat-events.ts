/** The live chat dialect's answer to each of the core's events. */

import type { ChangedMessage } from "../core/catch-up.ts";
import type { ConversationEvent } from "../core/events.ts";
import type { Message } from "../core/model.ts";
import type { LiveChatServerEvents } from "../protocol/live-chat.ts";

type LiveChatEvent = {
  [Name in keyof LiveChatServerEvents]: { readonly event: Name; readonly data: LiveChatServerEvents[Name] };
}[keyof LiveChatServerEvents];

/** Null where this dialect has no event for it. */
export function liveChatEvent(event: ConversationEvent): LiveChatEvent | null {
  const { conversationId: chatId } = event;
  switch (event.type) {
    case "message_created":
      return { event: "chat:message_receive", data: received(event.message) };
    case "message_edited":
      return edited(event.message, event.seq);
    case "message_deleted":
      return deleted(event.message, event.seq, event.actor.id);
    case "message_pinned":
      return pinned(event.message, event.seq, event.pinned, event.actor.id);
    case "messages_read": {
      const { messageId, seq, user } = event;
      return event.announced ? { event: "chat:message_read", data: { messageId, chatId, readBy: user.id, seq } } : null;
    }
    case "typing":
      return {
        event: event.isTyping ? "chat:typing_start" : "chat:typing_stop",
        data: { chatId, userId: event.user.id },
      };
    case "members_added":
    case "member_removed":
    case "group_updated":
    case "presence_changed":
    case "presence_listed":
      return null;
  }
}

/** One changed message of a replay, in its newest state, with the number of its last change when the replay began. */
export function liveChatReplay({ message, seq, kind, pinActor }: ChangedMessage): LiveChatEvent {
  const isPinned = message.pinnedAt !== null;
  const pinnedBy = pinActor?.id ?? message.pinnedBy?.id ?? message.sender.id;
  switch (kind) {
    case "created":
      return { event: "chat:message_receive", data: received(message, seq) };
    case "edited":
      return edited(message, seq);
    case "edited_and_pinned": {
      const { event, data } = edited(message, seq);
      return { event, data: { ...data, pinned: isPinned, pinnedBy } };
    }
    case "pinned":
      return pinned(message, seq, isPinned, pinnedBy);
    case "deleted":
      return deleted(message, seq, message.deletedBy?.id ?? message.sender.id);
  }
}

/** `seq`: of the creation; in a replay, of the last change. */
export function received(message: Message, seq = message.seq): LiveChatServerEvents["chat:message_receive"] {
  const { id, name, avatar } = message.sender;
  return {
    id: message.id,
    chatId: message.conversationId,
    content: message.text,
    mediaUrl: message.mediaUrl,
    mediaType: message.mediaType,
    sender: { id, name, avatar },
    createdAt: message.createdAt,
    seq,
    ...(message.clientId !== null && { clientId: message.clientId }),
    ...(message.attachments.length > 0 && { attachments: [...message.attachments] }),
    ...(message.replyTo !== null && { replyTo: message.replyTo }),
  };
}

export function edited(message: Message, seq: number) {
  const { id: messageId, conversationId: chatId, text: content, sender } = message;
  const editedAt = message.editedAt ?? message.createdAt;
  return {
    event: "chat:message_edited",
    data: { messageId, chatId, content, editedAt, editedBy: sender.id, seq },
  } as const;
}

export function deleted(message: Message, seq: number, deletedBy: string) {
  const { id: messageId, conversationId: chatId } = message;
  return { event: "chat:message_deleted", data: { messageId, chatId, deletedBy, seq } } as const;
}

export function pinned(message: Message, seq: number, isPinned: boolean, pinnedBy: string) {
  const { id: messageId, conversationId: chatId } = message;
  return { event: "chat:message_pinned", data: { messageId, chatId, pinned: isPinned, pinnedBy, seq } } as const;
}
