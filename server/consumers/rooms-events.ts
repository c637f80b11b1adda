/** The rooms dialect's answer to each of the core's events. */

import type { ChangedMessage } from "../core/catch-up.ts";
import type { ConversationEvent } from "../core/events.ts";
import type { ConversationView, Message, Quote } from "../core/model.ts";
import type { ConversationMember } from "../core/store.ts";
import type { Room, RoomsMessage, RoomsQuote, RoomsServerEvents } from "../protocol/rooms.ts";
import type { ServerEvent } from "./event-session.ts";

type RoomsEvent = {
  [Name in keyof RoomsServerEvents]: { readonly event: Name; readonly data: RoomsServerEvents[Name] };
}[keyof RoomsServerEvents];

/** Null where this dialect has no event for it. `memberIds`: who is in the room; empty in a large one. */
export function roomsEvent(event: ConversationEvent, memberIds: readonly string[]): RoomsEvent | null {
  const { conversationId: room_id } = event;
  switch (event.type) {
    case "message_created":
      return { event: "message", data: roomsMessage(event.message, unseenBy(memberIds)) };
    case "message_edited":
      return edited(event.message, event.seq);
    case "message_deleted":
      return deleted(event.message, event.seq, event.actor.id);
    case "message_pinned":
      return pinned(event.message, event.seq, event.pinned, event.actor.id);
    case "messages_read": {
      const { messageId: message_id, seq, user } = event;
      return event.announced ? { event: "seen", data: { room_id, message_id, user_id: user.id, seq } } : null;
    }
    case "typing": {
      const { user, isTyping, text } = event;
      const message = isTyping ? (text ?? "typing") : "";
      return { event: "typing", data: { room_id, message, user_id: user.id, first_name: user.firstName } };
    }
    case "members_added": {
      const members = event.users.map((user) => user.id);
      return { event: "members added", data: { room_id, members, user_id: event.actor.id } };
    }
    case "member_removed": {
      const { user, actor, creatorId: creator_id } = event;
      return { event: "member removed", data: { room_id, user_id: user.id, removed_by: actor.id, creator_id } };
    }
    case "group_updated": {
      const { name: room_name, imageUrl: image_url, creatorId: creator_id, actor } = event;
      return { event: "group updated", data: { room_id, room_name, image_url, creator_id, user_id: actor.id } };
    }
    case "presence_changed":
    case "presence_listed":
      return null;
  }
}

/** One changed message of a replay, in its newest state, with the number of its last change when the replay began. */
export function roomsReplay({ message, seq, kind, pinActor }: ChangedMessage, cursors: Cursors): RoomsEvent {
  const isPinned = message.pinnedAt !== null;
  const pinnedBy = pinActor?.id ?? message.pinnedBy?.id ?? message.sender.id;
  switch (kind) {
    case "created":
      return { event: "message", data: { ...roomsMessage(message, cursors), seq } };
    case "edited":
      return edited(message, seq);
    case "edited_and_pinned": {
      const { event, data } = edited(message, seq);
      return { event, data: { ...data, pin_message: isPinned, pinned_by: pinnedBy } };
    }
    case "pinned":
      return pinned(message, seq, isPinned, pinnedBy);
    case "deleted":
      return deleted(message, seq, message.deletedBy?.id ?? message.sender.id);
  }
}

/** User's id → highest seq read. */
export type Cursors = ReadonlyMap<string, number>;

/** As it is when a message has just been sent. */
export function unseenBy(memberIds: readonly string[]): Cursors {
  return new Map(memberIds.map((id) => [id, 0]));
}

export function cursorsOf(members: readonly ConversationMember[]): Cursors {
  return new Map(members.map((member) => [member.profile.id, member.cursor]));
}

export function roomsMessage(message: Message, cursors: Cursors): RoomsMessage {
  const { sender } = message;
  const others = [...cursors].filter(([id]) => id !== sender.id);
  return {
    _id: message.id,
    room_id: message.conversationId,
    seq: message.seq,
    message: message.text,
    recipients: others.map(([_id, cursor]) => ({ _id, msg_seen: cursor >= message.seq })),
    isStoryReply: message.isStoryReply,
    reply_message: message.replyQuote === null ? {} : quoteOf(message.replyQuote),
    message_type: message.messageType ?? "",
    attachments: [...message.attachments],
    sender_id: sender.id,
    first_name: sender.firstName,
    last_name: sender.lastName,
    dateCreated: message.createdAt,
    ...(message.clientId !== null && { client_id: message.clientId }),
    ...(message.mediaUrl !== null && { media_url: message.mediaUrl }),
    ...(message.mediaType !== null && { media_type: message.mediaType }),
    ...(message.deletedAt !== null && { deleted: true as const }),
  };
}

export function quoteOf(quote: Quote): RoomsQuote {
  return {
    _id: quote.id,
    message: quote.text,
    sender_id: quote.senderId,
    first_name: quote.firstName,
    last_name: quote.lastName,
    dateCreated: quote.createdAt,
    ...(quote.isDeleted && { deleted: true as const }),
  };
}

/** `members`: all of the room's, this user too; empty for a large room. */
export function roomOf(view: ConversationView, userId: string, members: readonly ConversationMember[]): Room {
  const others = members.filter(({ profile }) => profile.id !== userId);
  return {
    _id: view.id,
    room_name: view.otherUser?.name ?? view.name,
    type: view.type === "direct" ? "peer-to-peer" : "group-chat",
    recipients: others.map(({ profile }) => ({
      _id: profile.id,
      first_name: profile.firstName,
      last_name: profile.lastName,
      image_url: profile.avatar,
    })),
    creator_id: view.creatorId,
    image_url: view.otherUser === null ? view.imageUrl : view.otherUser.avatar,
    last_message: view.lastMessage === null ? null : roomsMessage(view.lastMessage, cursorsOf(members)),
    unread_count: view.unread,
    seq: view.seq,
  };
}

export function edited(message: Message, seq: number) {
  const { id: message_id, conversationId: room_id, text, sender } = message;
  return { event: "edited", data: { room_id, message_id, message: text, user_id: sender.id, seq } } as const;
}

export function deleted(message: Message, seq: number, userId: string) {
  const { id: message_id, conversationId: room_id } = message;
  return { event: "delete", data: { room_id, message_id, user_id: userId, seq } } as const;
}

export function pinned(message: Message, seq: number, isPinned: boolean, userId: string) {
  const { id: _id, conversationId: room_id } = message;
  return { event: "pin message", data: { room_id, _id, pin_message: isPinned, user_id: userId, seq } } as const;
}

/** To somebody who is not in the room yet: an event of their own name. */
export function addressedTo(userId: string, message: Message, memberIds: readonly string[]): ServerEvent {
  return { event: userId, data: roomsMessage(message, unseenBy(memberIds)) };
}

export function groupFor(userId: string, room: Room): ServerEvent {
  return { event: `group_${userId}`, data: room };
}
