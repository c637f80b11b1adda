/**
 * The tables. The same on PostgreSQL and PGlite.
 *
 * Unread counts are a subtraction (see `conversations.messageCount` and the counters on `members`): no count ever walks
 * the messages, and a message writes three rows whatever the number of members: itself, its conversation, its sender.
 */
import { type SQL, sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  customType,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import type { Attachment } from "../server/core/model.ts";

/** A count or position; safe as a JavaScript number up to 2^53. */
const count = (name: string) => bigint(name, { mode: "number" });
const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: "date" });

/**
 * Between the words of a username or name, as a regular expression that reads the same in JavaScript and PostgreSQL: all of
 * ASCII but letters and digits, and the blanks and punctuation of other scripts.
 */
export const WORD_SEPARATORS = String.raw`[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a0\u2000-\u206f\u3000-\u3002]+`;

/**
 * The words of a username and a name, in lower case, as the index of searches holds them. A search must say exactly this, or
 * the index does not serve it. Of what was stored before names had a length, the beginning: a word has at most 2,046 bytes.
 */
export function searchWords(columns: { readonly username: AnyPgColumn; readonly name: AnyPgColumn }): SQL {
  const text = sql`left(lower(${columns.username} || ' ' || ${columns.name}), 500)`;
  return sql`array_to_tsvector(array_remove(regexp_split_to_array(${text}, ${sql.raw(`'${WORD_SEPARATORS}'`)}), ''))`;
}

/**
 * JSON as the text that it was sent as. `jsonb` would print every digit of `1e308`, and sort fields; and the size of a text is
 * known without reading it.
 */
const json = <Value>(name: string) =>
  customType<{ data: Value; driverData: string }>({
    dataType: () => "text",
    fromDriver: (text): Value => JSON.parse(text),
    toDriver: (value) => JSON.stringify(value),
  })(name);

export const users = pgTable(
  "users",
  {
    id: text("id").primaryKey(),
    username: text("username").notNull(),
    name: text("name").notNull(),
    firstName: text("first_name").notNull(),
    lastName: text("last_name").notNull(),
    avatar: text("avatar"),
    createdAt: instant("created_at").notNull().defaultNow(),
    /** When a socket of theirs last closed. */
    lastSeenAt: instant("last_seen_at"),
  },
  (table) => [
    uniqueIndex("users_username_key").on(table.username),
    /** Without a list of what is yet to be indexed, which each search would walk through. */
    index("users_search_idx").using("gin", searchWords(table)).with({ fastupdate: false }),
  ],
);

export const conversations = pgTable(
  "conversations",
  {
    id: text("id").primaryKey(),
    type: text("type", { enum: ["direct", "group"] }).notNull(),
    /** The pair of a direct conversation, in order, so that the unique index admits one for each pair. */
    directLow: text("direct_low").references(() => users.id),
    directHigh: text("direct_high").references(() => users.id),
    name: text("name").notNull().default(""),
    imageUrl: text("image_url"),
    /** Who manages a group; null when they left. */
    creatorId: text("creator_id").references(() => users.id),
    /** Who made it, for ever; null for what was made before this was kept. */
    madeBy: text("made_by").references(() => users.id),
    /** What they made it for: the same again finds it. */
    madeFor: text("made_for"),
    /** A client chose the id: it may be a person's name, and then means the person where both are meant by one word. */
    idChosen: boolean("id_chosen").notNull().default(false),
    /** The number of the newest change. Its row lock is what puts the changes of a conversation in one order. */
    seq: count("seq").notNull().default(0),
    /** Messages ever created, deleted ones too. */
    messageCount: count("message_count").notNull().default(0),
    membersCount: integer("members_count").notNull(),
    /** How often the membership changed, and how often a cursor moved: what lets a node notice that it missed one. */
    membership: count("membership").notNull().default(0),
    reads: count("reads").notNull().default(0),
    createdAt: instant("created_at").notNull().defaultNow(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex("conversations_pair_key").on(table.directLow, table.directHigh),
    uniqueIndex("conversations_purpose_key").on(table.madeBy, table.madeFor),
    index("conversations_made_by_idx").on(table.madeBy, table.createdAt).where(sql`${table.type} = 'group'`),
    check("conversations_pair", sql`(${table.type} = 'direct') = (${table.directLow} is not null)`),
    check("conversations_pair_order", sql`${table.directLow} collate "C" <= ${table.directHigh} collate "C"`),
  ],
);

export const members = pgTable(
  "members",
  {
    conversationId: text("conversation_id")
      .notNull()
      .references(() => conversations.id),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    joinedAt: instant("joined_at").notNull().defaultNow(),
    /** The conversation's `seq` when they joined. */
    joinedSeq: count("joined_seq").notNull(),
    /**
     * unread = conversation.messageCount - cursorCount - ownAfter - deletedAfter
     *
     * `cursorSeq`: highest seq read. `cursorCount`: messages created up to there. `ownAfter`: the member's own created
     * after it, deleted or not. `deletedAfter`: others' created after it and deleted since.
     */
    cursorSeq: count("cursor_seq").notNull(),
    cursorCount: count("cursor_count").notNull(),
    ownAfter: count("own_after").notNull().default(0),
    deletedAfter: count("deleted_after").notNull().default(0),
    /** They said something here, so that the others may know of them what one knows of acquaintances. */
    hasWritten: boolean("has_written").notNull().default(false),
  },
  (table) => [
    primaryKey({ columns: [table.conversationId, table.userId] }),
    index("members_user_idx").on(table.userId),
  ],
);

/** In how many conversations a user is: kept, because counting them for each member of a new group would cost too much. */
export const conversationCounts = pgTable("conversation_counts", {
  userId: text("user_id")
    .primaryKey()
    .references(() => users.id),
  conversations: integer("conversations").notNull(),
});

/** Who left a group of their own will: nobody else can put them back. */
export const departures = pgTable(
  "departures",
  {
    conversationId: text("conversation_id")
      .notNull()
      .references(() => conversations.id),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    /** The group's creator wants them back: they may add themselves. */
    invited: boolean("invited").notNull().default(false),
  },
  (table) => [primaryKey({ columns: [table.conversationId, table.userId] })],
);

/**
 * Messages and changes carry no foreign keys: the statement that writes them has just locked the conversation and found
 * the member, and a key check for each row (with a share lock on the sender) would be the larger part of its cost.
 */
export const messages = pgTable(
  "messages",
  {
    /** One of its conversation's: elsewhere the same id, which a client may choose, is another message. */
    id: text("id").notNull(),
    conversationId: text("conversation_id").notNull(),
    seq: count("seq").notNull(),
    changedSeq: count("changed_seq").notNull(),
    /** This is the conversation's n-th message: what `members.cursorCount` becomes when it is read. */
    ordinal: count("ordinal").notNull(),
    senderId: text("sender_id").notNull(),
    clientId: text("client_id"),
    text: text("text").notNull(),
    mediaUrl: text("media_url"),
    mediaType: text("media_type", { enum: ["VIDEO", "AUDIO", "IMAGE", "FILE"] }),
    messageType: text("message_type"),
    attachments: json<Attachment[]>("attachments"),
    replyTo: text("reply_to"),
    isStoryReply: boolean("is_story_reply").notNull().default(false),
    fileIdentifier: text("file_identifier"),
    mediaUrlExpiration: text("media_url_expiration"),
    opensConversation: boolean("opens_conversation").notNull().default(false),
    createdAt: instant("created_at").notNull(),
    editedAt: instant("edited_at"),
    deletedAt: instant("deleted_at"),
    deletedBy: text("deleted_by"),
    pinnedAt: instant("pinned_at"),
    pinnedBy: text("pinned_by"),
  },
  (table) => [
    // In this order, since one dialect names a message by its id alone.
    primaryKey({ columns: [table.id, table.conversationId] }),
    uniqueIndex("messages_place_key").on(table.conversationId, table.seq),
    /** A client id is the same message for ever. */
    uniqueIndex("messages_client_id_key")
      .on(table.conversationId, table.senderId, table.clientId)
      .where(sql`${table.clientId} is not null`),
    index("messages_pinned_idx").on(table.conversationId, table.seq).where(sql`${table.pinnedAt} is not null`),
  ],
);

/** The numbers that edits, deletions and pins took. A creation's number is on the message itself. */
export const changes = pgTable(
  "changes",
  {
    conversationId: text("conversation_id").notNull(),
    seq: count("seq").notNull(),
    messageId: text("message_id").notNull(),
    kind: text("kind", { enum: ["edited", "deleted", "pinned", "unpinned"] }).notNull(),
    actorId: text("actor_id").notNull(),
  },
  (table) => [primaryKey({ columns: [table.conversationId, table.seq] })],
);
