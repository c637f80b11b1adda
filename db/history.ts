import { and, asc, desc, eq, gt, isNotNull, lt, type SQL } from "drizzle-orm";
import type { MessageStore } from "../server/core/store.ts";
import type { Drizzle } from "./client.ts";
import { selectMessages, toMessage } from "./rows.ts";
import { messages } from "./schema.ts";

export function historyStore(database: Drizzle): Pick<MessageStore, "history"> {
  return {
    history: async ({ conversationId, before, after, limit, pinned }) => {
      const where: SQL | undefined = and(
        eq(messages.conversationId, conversationId),
        before === null ? undefined : lt(messages.seq, before),
        after === null ? undefined : gt(messages.seq, after),
        pinned ? isNotNull(messages.pinnedAt) : undefined,
      );
      // The page right after a seq is read upwards and turned round.
      const upwards = after !== null && before === null;
      const rows = await selectMessages(database, where)
        .orderBy(upwards ? asc(messages.seq) : desc(messages.seq))
        .limit(limit);
      const page = rows.map(toMessage);
      return upwards ? page.reverse() : page;
    },
  };
}
