/** How rows become the core's nouns: the columns of a message and its people, selected the same way everywhere. */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import type { Conversation, Message, Profile, Quote, UserReference } from "../server/core/model.ts";
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

export const profileBytes = sql<number>`(octet_length(${users.id}) + octet_length(${users.username})
  + octet_length(${users.name}) + octet_length(${users.firstName}) + octet_length(${users.lastName})
  + coalesce(octet_length(${users.avatar}), 0))`.mapWith(toNumber);

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
const quoted = alias(messages, "quoted");
const quoter = alias(users, "quoter");

/** Code points of an answered message that an answer shows: a page of short answers must not be one of long texts. */
export const QUOTED_CHARS = 1000;

/** Messages with their sender, whoever deleted or pinned them, and what they answer; add `where`, `orderBy` and `limit`. */
export function selectMessages(database: Pick<Drizzle, "select">, where: SQL | undefined) {
  return database
    .select({
      message: messages,
      sender: profileColumns,
      deletedBy: deleter.username,
      pinnedBy: pinner.username,
      quote: {
        id: quoted.id,
        text: sql<string>`left(${quoted.text}, ${sql.raw(`${QUOTED_CHARS}`)})`,
        createdAt: quoted.createdAt,
        deletedAt: quoted.deletedAt,
      },
      quoter: { id: quoter.id, firstName: quoter.firstName, lastName: quoter.lastName },
    })
    .from(messages)
    .innerJoin(users, eq(users.id, messages.senderId))
    .leftJoin(deleter, eq(deleter.id, messages.deletedBy))
    .leftJoin(pinner, eq(pinner.id, messages.pinnedBy))
    .leftJoin(quoted, and(eq(quoted.id, messages.replyTo), eq(quoted.conversationId, messages.conversationId)))
    .leftJoin(quoter, eq(quoter.id, quoted.senderId))
    .where(where)
    .$dynamic();
}

/**
 * What reading a message brings, more or less, without reading it: 1,024 for all that is small, 4,096 for what it
 * answers. The row is joined with its sender's.
 */
export const messageBytes = sql<number>`(1024 + octet_length(${messages.text})
  + coalesce(octet_length(${messages.attachments}), 0) + case when ${messages.replyTo} is null then 0 else 4096 end
  + ${profileBytes})`.mapWith(toNumber);

export interface MessageRow {
  readonly message: typeof messages.$inferSelect;
  readonly sender: Profile;
  readonly deletedBy: string | null;
  readonly pinnedBy: string | null;
  readonly quote: { id: string; text: string | null; createdAt: Date; deletedAt: Date | null } | null;
  readonly quoter: Pick<Profile, "id" | "firstName" | "lastName"> | null;
}

export function toMessage(row: MessageRow): Message {
  const { message, sender, deletedBy, pinnedBy } = row;
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
    replyQuote: toQuote(row),
    isStoryReply: message.isStoryReply,
    fileIdentifier: message.fileIdentifier,
    mediaUrlExpiration: message.mediaUrlExpiration,
    // A tombstone keeps it for the index that knows a message sent twice, and gives it to nobody.
    clientId: message.deletedAt === null ? message.clientId : null,
    opensConversation: message.opensConversation,
    createdAt: message.createdAt.toISOString(),
    editedAt: message.editedAt?.toISOString() ?? null,
    deletedAt: message.deletedAt?.toISOString() ?? null,
    deletedBy: toReference(message.deletedBy, deletedBy),
    pinnedAt: message.pinnedAt?.toISOString() ?? null,
    pinnedBy: toReference(message.pinnedBy, pinnedBy),
  };
}

function toQuote({ quote, quoter }: MessageRow): Quote | null {
  if (quote === null || quoter === null) return null;
  const { id, text, createdAt, deletedAt } = quote;
  const { id: senderId, firstName, lastName } = quoter;
  const isDeleted = deletedAt !== null;
  return { id, text: text ?? "", senderId, firstName, lastName, createdAt: createdAt.toISOString(), isDeleted };
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
