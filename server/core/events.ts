/**
 * What happened, said once and neutrally. The core emits these after the commit; the channel layer carries them to every
 * node that listens; each dialect answers each of them (its encoder switches exhaustively over the union, so a new event
 * does not compile until every dialect has said what it makes of it).
 */
import type { Message, UserReference } from "./model.ts";

interface OfConversation {
  readonly conversationId: string;
}

interface Sequenced extends OfConversation {
  /** The number this change took: each conversation counts 1, 2, 3, … without a gap. */
  readonly seq: number;
  /**
   * How often the conversation's membership had changed when this was committed. A node that delivers a change from a
   * later membership than it knows first asks who is still a member, so that who was removed hears nothing more.
   */
  readonly membership: number;
  /** The message after the change (or a newer state of it, when the change was fetched afterwards). */
  readonly message: Message;
  /** Who made the change. */
  readonly actor: UserReference;
}

export interface MessageCreated extends Sequenced {
  readonly type: "message_created";
}
export interface MessageEdited extends Sequenced {
  readonly type: "message_edited";
}
export interface MessageDeleted extends Sequenced {
  readonly type: "message_deleted";
}
export interface MessagePinned extends Sequenced {
  readonly type: "message_pinned";
  readonly pinned: boolean;
}

/** The events that take a number and arrive in its order, each once. */
export type Change = MessageCreated | MessageEdited | MessageDeleted | MessagePinned;

/** A member's cursor moved. Takes no number. */
export interface MessagesRead extends OfConversation {
  readonly type: "messages_read";
  readonly user: UserReference;
  readonly messageId: string;
  /** `seq` of the message read: the member's cursor. */
  readonly seq: number;
  readonly readAt: string;
  /** The member's unread count afterwards, true as of the conversation's `asOf`. */
  readonly unread: number;
  readonly asOf: number;
  /** How often a cursor of this conversation had moved, this move included: a gap means that a move went unheard. */
  readonly reads: number;
  /** False in a large room, where telling each member of each other's reading would cost members × members. */
  readonly announced: boolean;
}

export interface Typing extends OfConversation {
  readonly type: "typing";
  readonly user: UserReference & { readonly firstName: string };
  readonly isTyping: boolean;
  /** What the client wants shown, where its dialect has such a text. */
  readonly text: string | null;
}

interface OfMembership extends OfConversation {
  /** The membership's version after this. */
  readonly membership: number;
  readonly membersCount: number;
}

export interface MembersAdded extends OfMembership {
  readonly type: "members_added";
  readonly users: readonly UserReference[];
  readonly actor: UserReference;
}

export interface MemberRemoved extends OfMembership {
  readonly type: "member_removed";
  readonly user: UserReference;
  /** Who removed them; the same person when they left. */
  readonly actor: UserReference;
  /** The group's creator afterwards: null when the creator left. */
  readonly creatorId: string | null;
}

export interface GroupUpdated extends OfConversation {
  readonly type: "group_updated";
  readonly name: string;
  readonly imageUrl: string | null;
  readonly creatorId: string | null;
  readonly actor: UserReference;
}

/** Somebody's first socket in the room opened, or their last one closed. */
export interface PresenceChanged extends OfConversation {
  readonly type: "presence_changed";
  readonly username: string;
  readonly present: boolean;
}

/** Who is in a room now: it was too large for joins and leaves to be told, and is no more. Said on each node by itself. */
export interface PresenceListed extends OfConversation {
  readonly type: "presence_listed";
  /** Sorted. */
  readonly usernames: readonly string[];
}

/** Without a number: delivered as they come, to whoever listens at that moment. */
export type Signal =
  | MessagesRead
  | Typing
  | MembersAdded
  | MemberRemoved
  | GroupUpdated
  | PresenceChanged
  | PresenceListed;

export type ConversationEvent = Change | Signal;

/** Said to one user alone, on whatever node they have sockets: the list of their conversations changed. */
export type UserEvent =
  | {
      readonly type: "conversation_joined";
      readonly userId: string;
      readonly conversationId: string;
      /** What took a number up to here was before their time; what comes after is to be delivered to them. */
      readonly from: number;
      /** The membership's version with them in it. */
      readonly membership: number;
      /** The other person of a direct conversation; null for a group. */
      readonly otherId: string | null;
    }
  | {
      readonly type: "conversation_left";
      readonly userId: string;
      readonly conversationId: string;
      /** The membership's version without them: an earlier one than they joined by is old news. */
      readonly membership: number;
    };

const CHANGES: ReadonlySet<string> = new Set<Change["type"]>([
  "message_created",
  "message_edited",
  "message_deleted",
  "message_pinned",
]);

export function isChange(event: ConversationEvent): event is Change {
  return CHANGES.has(event.type);
}

/** Where the core's events go: the hub, in the server; a list, in a unit test. */
export interface EventSink {
  /** Delivers to local listeners at once, then tells the other nodes. Never throws and never blocks a commit. */
  emit(events: readonly ConversationEvent[]): void;
  emitToUsers(events: readonly UserEvent[]): void;
  /** A commit's outcome is unknown: these conversations, or whichever it was, may have moved without an event. */
  doubt(conversationIds: readonly string[] | "any"): void;
}
