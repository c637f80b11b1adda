import { and, eq, exists, inArray, lte, or, sql } from "drizzle-orm";
import type { Conversation } from "../server/core/model.ts";
import type { ConversationStore } from "../server/core/store.ts";
import { isAnyOf } from "./arrays.ts";
import type { Drizzle } from "./client.ts";
import { countIn, insertMembers, NO_LIMIT } from "./memberships.ts";
import { conversationColumns, isMember, profileColumns, toConversation } from "./rows.ts";
import { conversations, members, users } from "./schema.ts";

type ReadingConversations = Pick<
  ConversationStore,
  "conversation" | "directConversation" | "openDirect" | "members" | "memberOf" | "membersOf" | "hasShownThemselves"
>;

/** Thrown in the transaction, so that nothing of it stays. */
class ThereAlready extends Error {}

export function conversationStore(database: Drizzle, newId: () => string): ReadingConversations {
  /**
   * A pair has one order, the database's: JavaScript sorts some characters otherwise. What comes out has the columns'
   * collation again, since an index serves no other.
   */
  const pair = (one: string, other: string) => ({
    low: sql<string>`least(${one}::text collate "C", ${other}::text collate "C") collate "default"`,
    high: sql<string>`greatest(${one}::text collate "C", ${other}::text collate "C") collate "default"`,
  });

  async function directConversation(userId: string, otherId: string): Promise<Conversation | null> {
    const { low, high } = pair(userId, otherId);
    const [row] = await database
      .select(conversationColumns)
      .from(conversations)
      .where(and(eq(conversations.directLow, low), eq(conversations.directHigh, high)));
    return row === undefined ? null : toConversation(row);
  }

  async function makeDirect(userId: string, otherId: string, limit: number): Promise<Conversation | null> {
    try {
      return await database.transaction(async (transaction) => {
        const { low, high } = pair(userId, otherId);
        const userIds = [...new Set([userId, otherId])];
        await countIn(transaction, userIds, limit);
        const [row] = await transaction
          .insert(conversations)
          .values({
            id: newId(),
            type: "direct",
            directLow: low,
            directHigh: high,
            madeBy: userId,
            membersCount: userIds.length,
          })
          .onConflictDoNothing({ target: [conversations.directLow, conversations.directHigh] })
          .returning(conversationColumns);
        if (row === undefined) throw new ThereAlready();
        await insertMembers(transaction, { id: row.id, seq: 0, messageCount: 0 }, userIds);
        return toConversation(row);
      });
    } catch (error) {
      if (error instanceof ThereAlready) return null;
      throw error;
    }
  }

  return {
    conversation: async (id, userId) => {
      const [row] = await database
        .select({
          conversation: conversationColumns,
          isMember: sql<boolean>`${exists(database.select({ one: sql`1` }).from(members).where(isMember(id, userId)))}`,
        })
        .from(conversations)
        .where(eq(conversations.id, id));
      return row === undefined ? null : { conversation: toConversation(row.conversation), isMember: row.isMember };
    },

    directConversation,

    openDirect: async (userId, otherId, conversationsPerUser = NO_LIMIT) => {
      const created = await makeDirect(userId, otherId, conversationsPerUser);
      if (created !== null) return { conversation: created, created: true };
      // The insert waited for whoever was making it, so it is there and visible now.
      const conversation = await directConversation(userId, otherId);
      if (conversation === null) throw new Error("a direct conversation conflicted with none");
      return { conversation, created: false };
    },

    members: (id, limit) =>
      database
        .select(profileColumns)
        .from(members)
        .innerJoin(users, eq(users.id, members.userId))
        .where(eq(members.conversationId, id))
        .orderBy(members.joinedAt, members.userId)
        .limit(limit),

    memberOf: async (userId, conversationIds) => {
      const rows = await database
        .select({ id: members.conversationId })
        .from(members)
        .where(and(eq(members.userId, userId), isAnyOf(members.conversationId, conversationIds)));
      return rows.map(({ id }) => id);
    },

    membersOf: async (conversationIds, maxMembers) => {
      if (conversationIds.length === 0) return [];
      return database
        .select({
          conversationId: members.conversationId,
          membership: conversations.membership,
          profile: profileColumns,
          cursor: members.cursorSeq,
        })
        .from(members)
        .innerJoin(conversations, eq(conversations.id, members.conversationId))
        .innerJoin(users, eq(users.id, members.userId))
        .where(and(isAnyOf(conversations.id, conversationIds), lte(conversations.membersCount, maxMembers)))
        .orderBy(members.conversationId, members.joinedAt, members.userId);
    },

    hasShownThemselves: async (otherId, userId) => {
      const mine = database.select({ id: members.conversationId }).from(members).where(eq(members.userId, userId));
      const shown = await database
        .select({ id: members.conversationId })
        .from(members)
        .innerJoin(conversations, eq(conversations.id, members.conversationId))
        .where(
          and(
            eq(members.userId, otherId),
            or(members.hasWritten, eq(conversations.madeBy, otherId)),
            inArray(members.conversationId, mine),
          ),
        )
        .limit(1);
      return shown.length > 0;
    },
  };
}
