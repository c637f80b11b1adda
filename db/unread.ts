import { and, eq, sql } from "drizzle-orm";
import type { Standing } from "../server/core/model.ts";
import type { UnreadStore } from "../server/core/store.ts";
import type { Drizzle } from "./client.ts";
import { toNumber } from "./rows.ts";
import { conversations, members } from "./schema.ts";

/** The subtraction (see `members` in schema.ts). Needs `members` joined with its `conversations` row. */
export const unreadCount =
  sql<number>`${conversations.messageCount} - ${members.cursorCount} - ${members.ownAfter} - ${members.deletedAfter}`.mapWith(
    toNumber,
  );

export function unreadStore(database: Drizzle): UnreadStore {
  const standings = (userId: string, conversationId?: string): Promise<Standing[]> =>
    database
      .select({
        conversationId: members.conversationId,
        userId: members.userId,
        cursor: members.cursorSeq,
        unread: unreadCount,
        asOf: conversations.seq,
      })
      .from(members)
      .innerJoin(conversations, eq(conversations.id, members.conversationId))
      .where(
        and(
          eq(members.userId, userId),
          conversationId === undefined ? undefined : eq(members.conversationId, conversationId),
        ),
      );
  return {
    standings: (userId) => standings(userId),
    standing: async (userId, conversationId) => (await standings(userId, conversationId))[0] ?? null,
  };
}
