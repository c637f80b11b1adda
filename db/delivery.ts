/** What delivery asks when the channel layer lost something, or a client comes back: the changes, by their numbers. */
import { and, asc, count, eq, gt, lte, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import type { MissedChange } from "../server/core/catch-up.ts";
import type { Change } from "../server/core/events.ts";
import type { Message } from "../server/core/model.ts";
import { firstPage } from "../server/core/pages.ts";
import type { DeliveryStore } from "../server/core/store.ts";
import { isAnyOf } from "./arrays.ts";
import type { Drizzle } from "./client.ts";
import { messageBytes, selectMessages, toMessage } from "./rows.ts";
import { changes, conversations, members, messages, users } from "./schema.ts";

/** `pageBytes`: how much of messages is read at a time. */
export function deliveryStore(database: Drizzle, pageBytes: number): DeliveryStore {
  async function messagesById(
    reader: Pick<Drizzle, "select">,
    conversationId: string,
    ids: string[],
  ): Promise<Map<string, Message>> {
    if (ids.length === 0) return new Map();
    const rows = await selectMessages(
      reader,
      and(eq(messages.conversationId, conversationId), isAnyOf(messages.id, ids)),
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
        const created = await placesOf(
          reader,
          and(eq(messages.conversationId, conversationId), gt(messages.seq, after), lte(messages.seq, upTo)),
        )
          .orderBy(asc(messages.seq))
          .limit(limit);
        const amended = await reader
          .select({ seq: changes.seq, id: changes.messageId, kind: changes.kind, actor, bytes: messageBytes })
          .from(changes)
          .innerJoin(changer, eq(changer.id, changes.actorId))
          .innerJoin(
            messages,
            and(eq(messages.conversationId, changes.conversationId), eq(messages.id, changes.messageId)),
          )
          .innerJoin(users, eq(users.id, messages.senderId))
          .where(and(eq(changes.conversationId, conversationId), gt(changes.seq, after), lte(changes.seq, upTo)))
          .orderBy(asc(changes.seq))
          .limit(limit);
        const found = [...created.map((row) => ({ ...row, kind: null, actor: null })), ...amended];
        const page = firstPage(found.sort((one, other) => one.seq - other.seq).slice(0, limit), pageBytes);
        const messagesOfPage = await messagesById(reader, conversationId, [...new Set(page.map((row) => row.id))]);
        return page.map(({ id, seq, kind, actor }): Change => {
          const message = messagesOfPage.get(id);
          if (message === undefined) throw new Error(`change ${seq} of ${conversationId} names no message`);
          const common = { conversationId, membership: place.membership, seq, message };
          if (kind !== null) return toChange(kind, { ...common, actor });
          const { id: senderId, username } = message.sender;
          return { type: "message_created", ...common, actor: { id: senderId, username } };
        });
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
          .select({ id: changes.messageId, kind: changes.kind, actor })
          .from(changes)
          .innerJoin(changer, eq(changer.id, changes.actorId))
          .where(and(eq(changes.conversationId, conversationId), gt(changes.seq, since)))
          .orderBy(asc(changes.seq))
          .limit(MOST_AMENDMENTS * limit);
        const ids = new Set([...created, ...amended].map((row) => row.id));
        if (ids.size > limit || amended.length === MOST_AMENDMENTS * limit) return { status: "too_many", present };
        const amendedById = new Map<string, typeof amended>(amended.map((row) => [row.id, []]));
        for (const row of amended) amendedById.get(row.id)?.push(row);
        const places = await placesOf(
          reader,
          and(eq(messages.conversationId, conversationId), isAnyOf(messages.id, [...ids])),
        ).orderBy(asc(messages.changedSeq));
        const missed = places.map((place): MissedChange => {
          const mine = amendedById.get(place.id) ?? [];
          const pins = mine.filter((row) => row.kind === "pinned" || row.kind === "unpinned");
          const kind = kindOf(place, since, mine.length > pins.length, pins.length > 0);
          const pinActor = pins.at(-1)?.actor ?? null;
          return { messageId: place.id, seq: place.changedSeq, bytes: place.bytes, kind, pinActor };
        });
        return { status: "complete", present, changes: missed };
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
        .where(isAnyOf(conversations.id, conversationIds)),

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
        .where(isAnyOf(members.userId, userIds))
        .groupBy(members.userId),

    membersAmong: async (conversationId, userIds) => {
      const [row] = await database
        .select({
          membership: conversations.membership,
          userIds: sql<string[]>`array(${database
            .select({ id: members.userId })
            .from(members)
            .where(and(eq(members.conversationId, conversations.id), isAnyOf(members.userId, userIds)))})`,
        })
        .from(conversations)
        .where(eq(conversations.id, conversationId));
      return row ?? { membership: 0, userIds: [] };
    },
  };
}

const changer = alias(users, "changer");
const actor = { id: changer.id, username: changer.username };

/** Where messages are and how large, without reading them; add `orderBy` and `limit`. */
function placesOf(reader: Pick<Drizzle, "select">, where: SQL | undefined) {
  return reader
    .select({
      id: messages.id,
      seq: messages.seq,
      changedSeq: messages.changedSeq,
      deletedAt: messages.deletedAt,
      bytes: messageBytes,
    })
    .from(messages)
    .innerJoin(users, eq(users.id, messages.senderId))
    .where(where)
    .$dynamic();
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

function kindOf(
  { seq, deletedAt }: { readonly seq: number; readonly deletedAt: Date | null },
  since: number,
  isEdited: boolean,
  isPinned: boolean,
): MissedChange["kind"] {
  if (deletedAt !== null) return "deleted";
  if (seq > since) return "created";
  if (isEdited && isPinned) return "edited_and_pinned";
  return isPinned ? "pinned" : "edited";
}
