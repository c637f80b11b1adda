/** How rows become the core's nouns: the columns of a message and its people, selected the same way everywhere. */
import { and, eq, type SQL } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import type { Conversation, Message, Profile, UserReference } from "../server/core/model.ts";
import type { Drizzle } from "./client.ts";
import { conversations, members, messages, users } from "./schema.ts";

export const profileColumns = {
  id: users.id,
  username: users.username,
  name: users.name,
  firstName: users.firstName,
  lastName: users.lastName,
  avatar: users.avatar,
};

export const conversationColumns = {
  id: conversations.id,
  type: conversations.type,
  name: conversations.name,
  imageUrl: conversations.imageUrl,
  creatorId: conversations.creatorId,
  idChosen: conversations.idChosen,
  membersCount: conversations.membersCount,
  membership: conversations.membership,
  seq: conversations.seq,
  createdAt: conversations.createdAt,
  updatedAt: conversations.updatedAt,
};

type ConversationRow = Omit<Conversation, "createdAt" | "updatedAt"> & { createdAt: Date; updatedAt: Date };

export function toConversation(row: ConversationRow): Conversation {
  return { ...row, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() };
}

const deleter = alias(users, "deleter");
const pinner = alias(users, "pinner");

/** Messages with their sender and whoever deleted or pinned them; add `where`, `orderBy` and `limit`. */
export function selectMessages(database: Pick<Drizzle, "select">, where: SQL | undefined) {
  return database
    .select({
      message: messages,
      sender: profileColumns,
      deletedBy: deleter.username,
      pinnedBy: pinner.username,
    })
    .from(messages)
    .innerJoin(users, eq(users.id, messages.senderId))
    .leftJoin(deleter, eq(deleter.id, messages.deletedBy))
    .leftJoin(pinner, eq(pinner.id, messages.pinnedBy))
    .where(where)
    .$dynamic();
}

export interface MessageRow {
  readonly message: typeof messages.$inferSelect;
  readonly sender: Profile;
  readonly deletedBy: string | null;
  readonly pinnedBy: string | null;
}

export function toMessage({ message, sender, deletedBy, pinnedBy }: MessageRow): Message {
  return {
    id: message.id,
    conversationId: message.conversationId,
    seq: message.seq,
    changedSeq: message.changedSeq,
    sender,
    text: message.text,
    mediaUrl: message.mediaUrl,
    mediaType: message.mediaType,
    messageType: message.messageType,
    attachments: message.attachments ?? [],
    replyTo: message.replyTo,
    replyQuote: message.replyQuote,
    isStoryReply: message.isStoryReply,
    fileIdentifier: message.fileIdentifier,
    mediaUrlExpiration: message.mediaUrlExpiration,
    clientId: message.clientId,
    opensConversation: message.opensConversation,
    createdAt: message.createdAt.toISOString(),
    editedAt: message.editedAt?.toISOString() ?? null,
    deletedAt: message.deletedAt?.toISOString() ?? null,
    deletedBy: toReference(message.deletedBy, deletedBy),
    pinnedAt: message.pinnedAt?.toISOString() ?? null,
    pinnedBy: toReference(message.pinnedBy, pinnedBy),
  };
}

function toReference(id: string | null, username: string | null): UserReference | null {
  return id === null || username === null ? null : { id, username };
}

export function isMember(conversationId: string, userId: string): SQL | undefined {
  return and(eq(members.conversationId, conversationId), eq(members.userId, userId));
}

/** A number that a statement of ours computed; both drivers give bigint as text, so they are read one way. */
export function toNumber(value: unknown): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new TypeError(`expected a whole number from the database, got ${value}`);
  return number;
}
