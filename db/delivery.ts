/** What delivery asks when the channel layer lost something, or a client comes back: the changes, by their numbers. */
import { and, asc, count, eq, gt, inArray, lte, sql } from "drizzle-orm";
import type { Change } from "../server/core/events.ts";
import type { Message } from "../server/core/model.ts";
import type { ChangedMessage, DeliveryStore } from "../server/core/store.ts";
import type { Drizzle } from "./client.ts";
import { selectMessages, toMessage } from "./rows.ts";
import { changes, conversations, members, messages, users } from "./schema.ts";

export function deliveryStore(database: Drizzle): DeliveryStore {
  async function messagesById(
    reader: Pick<Drizzle, "select">,
    conversationId: string,
    ids: string[],
  ): Promise<Map<string, Message>> {
    if (ids.length === 0) return new Map();
    const rows = await selectMessages(
      reader,
      and(eq(messages.conversationId, conversationId), inArray(messages.id, ids)),
    );
    return new Map(rows.map((row) => [row.message.id, toMessage(row)]));
  }

  /** One moment's view for several statements, without a lock. */
  const inSnapshot = <T>(work: (reader: Drizzle) => Promise<T>): Promise<T> =>
    database.transaction((transaction) => work(transaction as unknown as Drizzle), {
      isolationLevel: "repeatable read",
      accessMode: "read only",
    });

  return {
    changes: (conversationId, after, upTo, limit) =>
      inSnapshot(async (reader) => {
        const [place] = await reader
          .select({ membership: conversations.membership })
          .from(conversations)
          .where(eq(conversations.id, conversationId));
        if (place === undefined) return [];
        const created = await selectMessages(
          reader,
          and(eq(messages.conversationId, conversationId), gt(messages.seq, after), lte(messages.seq, upTo)),
        )
          .orderBy(asc(messages.seq))
          .limit(limit);
        const amended = await reader
          .select({
            seq: changes.seq,
            messageId: changes.messageId,
            kind: changes.kind,
            actor: { id: users.id, username: users.username },
          })
          .from(changes)
          .innerJoin(users, eq(users.id, changes.actorId))
          .where(and(eq(changes.conversationId, conversationId), gt(changes.seq, after), lte(changes.seq, upTo)))
          .orderBy(asc(changes.seq))
          .limit(limit);
        const amendedMessages = await messagesById(reader, conversationId, [
          ...new Set(amended.map((row) => row.messageId)),
        ]);
        const common = { conversationId, membership: place.membership };
        const found: Change[] = created.map((row) => {
          const message = toMessage(row);
          const { id, username } = message.sender;
          return { type: "message_created", ...common, seq: message.seq, message, actor: { id, username } };
        });
        for (const { seq, messageId, kind, actor } of amended) {
          const message = amendedMessages.get(messageId);
          if (message === undefined) throw new Error(`change ${seq} of ${conversationId} names no message`);
          found.push(toChange(kind, { ...common, seq, message, actor }));
        }
        return found.sort((one, other) => one.seq - other.seq).slice(0, limit);
      }),

    changedSince: (conversationId, since, limit) =>
      inSnapshot(async (reader) => {
        const [place] = await reader
          .select({ present: conversations.seq })
          .from(conversations)
          .where(eq(conversations.id, conversationId));
        const present = place?.present ?? 0;
        if (since > present) return { status: "unknown_seq", present };
        const created = await reader
          .select({ id: messages.id })
          .from(messages)
          .where(and(eq(messages.conversationId, conversationId), gt(messages.seq, since)))
          .orderBy(asc(messages.seq))
          .limit(limit + 1);
        const amended = await reader
          .select({ id: changes.messageId, kind: changes.kind, actor: { id: users.id, username: users.username } })
          .from(changes)
          .innerJoin(users, eq(users.id, changes.actorId))
          .where(and(eq(changes.conversationId, conversationId), gt(changes.seq, since)))
          .orderBy(asc(changes.seq))
          .limit(MOST_AMENDMENTS * limit);
        const ids = new Set([...created, ...amended].map((row) => row.id));
        if (ids.size > limit || amended.length === MOST_AMENDMENTS * limit) return { status: "too_many", present };
        const amendedById = new Map<string, typeof amended>(amended.map((row) => [row.id, []]));
        for (const row of amended) amendedById.get(row.id)?.push(row);
        const found: ChangedMessage[] = [];
        for (const message of (await messagesById(reader, conversationId, [...ids])).values()) {
          const mine = amendedById.get(message.id) ?? [];
          const pins = mine.filter((row) => row.kind === "pinned" || row.kind === "unpinned");
          const kind = kindOf(message, since, mine.length > pins.length, pins.length > 0);
          found.push({ message, kind, pinActor: pins.at(-1)?.actor ?? null });
        }
        found.sort((one, other) => one.message.changedSeq - other.message.changedSeq);
        return { status: "complete", present, messages: found };
      }),

    positions: (conversationIds) =>
      database
        .select({
          conversationId: conversations.id,
          seq: conversations.seq,
          membership: conversations.membership,
          reads: conversations.reads,
          membersCount: conversations.membersCount,
        })
        .from(conversations)
        .where(inArray(conversations.id, [...conversationIds])),

    memberships: (userId) =>
      database
        .select({
          conversationId: members.conversationId,
          from: members.joinedSeq,
          membership: conversations.membership,
          otherId: sql<string | null>`case when ${conversations.directLow} = ${userId}
            then ${conversations.directHigh} else ${conversations.directLow} end`,
        })
        .from(members)
        .innerJoin(conversations, eq(conversations.id, members.conversationId))
        .where(eq(members.userId, userId)),

    conversationCounts: (userIds) =>
      database
        .select({ userId: members.userId, conversations: count() })
        .from(members)
        .where(inArray(members.userId, [...userIds]))
        .groupBy(members.userId),

    membersAmong: async (conversationId, userIds) => {
      const [row] = await database
        .select({
          membership: conversations.membership,
          userIds: sql<string[]>`array(${database
            .select({ id: members.userId })
            .from(members)
            .where(and(eq(members.conversationId, conversations.id), inArray(members.userId, [...userIds])))})`,
        })
        .from(conversations)
        .where(eq(conversations.id, conversationId));
      return row ?? { membership: 0, userIds: [] };
    },
  };
}

/** A message changed so many times for each one that a replay admits is reread from history instead. */
const MOST_AMENDMENTS = 20;

type Amended = Omit<Exclude<Change, { type: "message_pinned" }>, "type">;

function toChange(kind: (typeof changes.$inferSelect)["kind"], change: Amended): Change {
  switch (kind) {
    case "edited":
      return { type: "message_edited", ...change };
    case "deleted":
      return { type: "message_deleted", ...change };
    case "pinned":
    case "unpinned":
      return { type: "message_pinned", ...change, pinned: kind === "pinned" };
  }
}

function kindOf(message: Message, since: number, isEdited: boolean, isPinned: boolean): ChangedMessage["kind"] {
  if (message.deletedAt !== null) return "deleted";
  if (message.seq > since) return "created";
  if (isEdited && isPinned) return "edited_and_pinned";
  return isPinned ? "pinned" : "edited";
}
