/** Conversations as one of their members sees them: the list of them, and each with its last message and unread count. */
import { and, desc, eq, gt, lt, lte, or, type SQL, sql } from "drizzle-orm";
import type { Message, Profile } from "../server/core/model.ts";
import { firstPage } from "../server/core/pages.ts";
import type { ConversationStore, ListedConversation } from "../server/core/store.ts";
import { isAnyOf } from "./arrays.ts";
import type { Drizzle } from "./client.ts";
import {
  conversationColumns,
  messageBytes,
  profileBytes,
  profileColumns,
  selectMessages,
  toConversation,
  toMessage,
  toNumber,
} from "./rows.ts";
import { conversations, members, messages, users } from "./schema.ts";
import { unreadCount } from "./unread.ts";

type ViewStore = Pick<ConversationStore, "view" | "views" | "viewsOf" | "listed" | "sizesOf">;

export function viewStore(database: Drizzle): ViewStore {
  /** The newest first. Direct ones from their first message on, and groups. */
  const listed: ViewStore["listed"] = async (userId, limit = null, before = null) => {
    const isListed = or(eq(conversations.type, "group"), gt(conversations.messageCount, 0));
    const query = database
      .select({ id: conversations.id, updatedAt: conversations.updatedAt })
      .from(members)
      .innerJoin(conversations, eq(conversations.id, members.conversationId))
      .where(and(eq(members.userId, userId), isListed, before === null ? undefined : isOlder(before)))
      .orderBy(desc(conversations.updatedAt), desc(conversations.id))
      .$dynamic();
    const rows = await (limit === null ? query : query.limit(limit));
    return rows.map(({ id, updatedAt }) => ({ id, updatedAt: updatedAt.toISOString() }));
  };

  const sizesOf: ViewStore["sizesOf"] = async (ids, maxMembers) => {
    if (ids.length === 0) return new Map();
    const ofMembers = database
      .select({ bytes: sql`sum(${profileBytes})` })
      .from(members)
      .innerJoin(users, eq(users.id, members.userId))
      .where(and(eq(members.conversationId, conversations.id), lte(conversations.membersCount, maxMembers)));
    const ofLastMessage = database
      .select({ bytes: messageBytes })
      .from(messages)
      .innerJoin(users, eq(users.id, messages.senderId))
      .where(eq(messages.conversationId, conversations.id))
      .orderBy(desc(messages.seq))
      .limit(1);
    const rows = await database
      .select({
        id: conversations.id,
        bytes: sql<number>`1024 + coalesce((${ofMembers}), 0) + coalesce((${ofLastMessage}), 0)`.mapWith(toNumber),
      })
      .from(conversations)
      .where(isAnyOf(conversations.id, ids));
    return new Map(rows.map(({ id, bytes }) => [id, bytes]));
  };

  const viewsOf: ViewStore["viewsOf"] = async (userId, ids) => {
    if (ids.length === 0) return [];
    const rows = await database
      .select({
        conversation: conversationColumns,
        directLow: conversations.directLow,
        directHigh: conversations.directHigh,
        unread: unreadCount,
      })
      .from(members)
      .innerJoin(conversations, eq(conversations.id, members.conversationId))
      .where(and(eq(members.userId, userId), isAnyOf(conversations.id, ids)));
    const otherIds = rows.flatMap(({ directLow, directHigh }) => otherOf(userId, directLow, directHigh) ?? []);
    const [others, lastMessages] = await Promise.all([
      profilesOf(database, otherIds),
      lastMessagesOf(
        database,
        rows.map((row) => row.conversation.id),
      ),
    ]);
    const byId = new Map(rows.map((row) => [row.conversation.id, row]));
    return ids.flatMap((id) => {
      const row = byId.get(id);
      if (row === undefined) return [];
      const { conversation, directLow, directHigh, unread } = row;
      const otherUser = others.get(otherOf(userId, directLow, directHigh) ?? "") ?? null;
      return { ...toConversation(conversation), unread, otherUser, lastMessage: lastMessages.get(id) ?? null };
    });
  };

  return {
    listed,
    sizesOf,
    viewsOf,

    views: async (userId, limit, before, bytes) => {
      // One more than asked for tells whether there is more.
      const places = await listed(userId, limit + 1, before);
      const sizes = await sizesOf(
        places.slice(0, limit).map(({ id }) => id),
        0,
      );
      const page = firstPage(
        places.slice(0, limit).map((place) => ({ ...place, bytes: sizes.get(place.id) ?? 0 })),
        bytes,
      );
      const views = await viewsOf(
        userId,
        page.map(({ id }) => id),
      );
      return { views, next: page.length < places.length ? (page.at(-1) ?? null) : null };
    },

    view: async (id, userId) => (await viewsOf(userId, [id]))[0] ?? null,
  };
}

function isOlder(before: ListedConversation): SQL | undefined {
  const at = new Date(before.updatedAt);
  return or(lt(conversations.updatedAt, at), and(eq(conversations.updatedAt, at), lt(conversations.id, before.id)));
}

function otherOf(userId: string, low: string | null, high: string | null): string | null {
  return low === userId ? high : low;
}

async function profilesOf(database: Drizzle, ids: readonly string[]): Promise<Map<string, Profile>> {
  if (ids.length === 0) return new Map();
  const profiles = await database.select(profileColumns).from(users).where(isAnyOf(users.id, ids));
  return new Map(profiles.map((profile) => [profile.id, profile]));
}

/** The newest message of each, found by its place in the index: one step a conversation, however long it is. */
async function lastMessagesOf(database: Drizzle, ids: readonly string[]): Promise<Map<string, Message>> {
  if (ids.length === 0) return new Map();
  const newest = database
    .select({ seq: sql<number>`max(${messages.seq})` })
    .from(messages)
    .where(eq(messages.conversationId, conversations.id));
  const places = database
    .select({ id: conversations.id, seq: sql`(${newest})` })
    .from(conversations)
    .where(isAnyOf(conversations.id, ids));
  const rows = await selectMessages(database, sql`(${messages.conversationId}, ${messages.seq}) in (${places})`);
  return new Map(rows.map((row) => [row.message.conversationId, toMessage(row)]));
}
