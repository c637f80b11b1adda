import { and, asc, desc, eq, exists, gt, isNotNull, lt, type SQL } from "drizzle-orm";
import { firstPage } from "../server/core/pages.ts";
import type { HistoryPage, MessageStore } from "../server/core/store.ts";
import { isAnyOf } from "./arrays.ts";
import type { Drizzle } from "./client.ts";
import { isMember, messageBytes, selectMessages, toMessage } from "./rows.ts";
import { members, messages, users } from "./schema.ts";

type HistoryStore = Pick<MessageStore, "history" | "hasHistory" | "messagesFor">;

export function historyStore(database: Drizzle): HistoryStore {
  return {
    /** First where they are and how large, then those that make up the page. */
    history: async (page) => {
      const { conversationId, before, after, limit, bytes } = page;
      // The page right after a seq is read upwards and turned round.
      const upwards = after !== null && before === null;
      const places = await database
        .select({ id: messages.id, bytes: messageBytes })
        .from(messages)
        .innerJoin(users, eq(users.id, messages.senderId))
        .where(within(page))
        .orderBy(upwards ? asc(messages.seq) : desc(messages.seq))
        // One more than asked for tells whether there is more.
        .limit(limit + 1);
      const ids = firstPage(places.slice(0, limit), bytes).map(({ id }) => id);
      const isOfPage = and(eq(messages.conversationId, conversationId), isAnyOf(messages.id, ids));
      const rows = ids.length === 0 ? [] : await selectMessages(database, isOfPage).orderBy(desc(messages.seq));
      return { messages: rows.map(toMessage), hasMore: ids.length < places.length };
    },

    hasHistory: async (page) => {
      const found = await database.select({ id: messages.id }).from(messages).where(within(page)).limit(1);
      return found.length > 0;
    },

    messagesFor: async (readerId, conversationId, ids) => {
      const isReader = exists(
        database.select({ id: members.userId }).from(members).where(isMember(conversationId, readerId)),
      );
      const where = and(isAnyOf(messages.id, ids), eq(messages.conversationId, conversationId), isReader);
      return (await selectMessages(database, where)).map(toMessage);
    },
  };
}

function within({ conversationId, before, after, pinned }: Omit<HistoryPage, "limit" | "bytes">): SQL | undefined {
  return and(
    eq(messages.conversationId, conversationId),
    before === null ? undefined : lt(messages.seq, before),
    after === null ? undefined : gt(messages.seq, after),
    pinned ? isNotNull(messages.pinnedAt) : undefined,
  );
}
