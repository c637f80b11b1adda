import { and, asc, eq, inArray, sql } from "drizzle-orm";
import type { Conversation } from "../server/core/model.ts";
import type { ConversationStore, MembershipChange } from "../server/core/store.ts";
import type { Drizzle } from "./client.ts";
import { isUniqueViolation } from "./failures.ts";
import { conversationColumns, isMember, profileColumns, toConversation } from "./rows.ts";
import { conversations, members, users } from "./schema.ts";
import { claimName } from "./users.ts";

type GroupStore = Pick<ConversationStore, "createGroup" | "updateGroup" | "addMembers" | "removeMember">;

/** Rows for each INSERT of members: PostgreSQL takes 65,535 parameters in a statement. */
const MEMBERS_PER_INSERT = 5_000;

export function groupStore(database: Drizzle, newId: () => string): GroupStore {
  /** Whoever changes the membership, or sends, waits here for whoever came first. */
  const lock = async (transaction: Pick<Drizzle, "select">, id: string) => {
    const [row] = await transaction
      .select({ ...conversationColumns, messageCount: conversations.messageCount })
      .from(conversations)
      .where(and(eq(conversations.id, id), eq(conversations.type, "group")))
      .for("update");
    return row;
  };

  /** New members start with nothing unread: their cursor stands at the newest change. */
  const insertMembers = async (
    transaction: Pick<Drizzle, "insert">,
    group: { id: string; seq: number; messageCount: number },
    userIds: readonly string[],
  ): Promise<string[]> => {
    const place = { joinedSeq: group.seq, cursorSeq: group.seq, cursorCount: group.messageCount };
    const added: string[] = [];
    for (let from = 0; from < userIds.length; from += MEMBERS_PER_INSERT) {
      const rows = await transaction
        .insert(members)
        .values(
          userIds
            .slice(from, from + MEMBERS_PER_INSERT)
            .map((userId) => ({ conversationId: group.id, userId, ...place })),
        )
        .onConflictDoNothing()
        .returning({ userId: members.userId });
      added.push(...rows.map((row) => row.userId));
    }
    return added;
  };

  const change = async (
    transaction: Pick<Drizzle, "update" | "select">,
    id: string,
    fields: { membersCount: number; creatorId?: string | null },
    userIds: string[],
  ): Promise<MembershipChange> => {
    const [row] = await transaction
      .update(conversations)
      .set({ ...fields, membership: sql`${conversations.membership} + 1` })
      .where(eq(conversations.id, id))
      .returning(conversationColumns);
    if (row === undefined) throw new Error("a locked conversation vanished");
    const profiles = await transaction.select(profileColumns).from(users).where(inArray(users.id, userIds));
    return { conversation: toConversation(row), users: profiles };
  };

  return {
    createGroup: async (group): Promise<Conversation | "taken"> => {
      try {
        return await database.transaction(async (transaction) => {
          const id = group.id ?? newId();
          if (group.id !== null) {
            await claimName(transaction, group.id);
            const [user] = await transaction.select({ id: users.id }).from(users).where(eq(users.username, group.id));
            if (user !== undefined) return "taken";
          }
          const [row] = await transaction
            .insert(conversations)
            .values({
              id,
              type: "group",
              name: group.name,
              imageUrl: group.imageUrl,
              creatorId: group.creatorId,
              membersCount: group.memberIds.length,
            })
            .returning(conversationColumns);
          if (row === undefined) throw new Error("an INSERT returned no row");
          await insertMembers(transaction, { id, seq: 0, messageCount: 0 }, group.memberIds);
          return toConversation(row);
        });
      } catch (error) {
        if (isUniqueViolation(error)) return "taken";
        throw error;
      }
    },

    updateGroup: async (id, fields) => {
      const [row] = await database
        .update(conversations)
        .set(fields)
        .where(and(eq(conversations.id, id), eq(conversations.type, "group")))
        .returning(conversationColumns);
      return row === undefined ? null : toConversation(row);
    },

    addMembers: (id, userIds, limit) =>
      database.transaction(async (transaction) => {
        const group = await lock(transaction, id);
        if (group === undefined) throw new Error("members can be added to a group only");
        const present = await transaction
          .select({ userId: members.userId })
          .from(members)
          .where(and(eq(members.conversationId, id), inArray(members.userId, [...userIds])));
        const presentIds = new Set(present.map((row) => row.userId));
        const newIds = userIds.filter((userId) => !presentIds.has(userId));
        if (newIds.length === 0) return unchanged(transaction, id);
        if (group.membersCount + newIds.length > limit) return "too_many";
        const added = await insertMembers(transaction, group, newIds);
        return change(transaction, id, { membersCount: group.membersCount + added.length }, added);
      }),

    removeMember: (id, userId) =>
      database.transaction(async (transaction) => {
        const group = await lock(transaction, id);
        if (group === undefined) throw new Error("members can be removed from a group only");
        const removed = await transaction.delete(members).where(isMember(id, userId)).returning({ id: members.userId });
        if (removed.length === 0) return unchanged(transaction, id);
        const fields = { membersCount: group.membersCount - 1 };
        if (group.creatorId !== userId) return change(transaction, id, fields, [userId]);
        const [heir] = await transaction
          .select({ userId: members.userId })
          .from(members)
          .where(eq(members.conversationId, id))
          .orderBy(asc(members.joinedAt), asc(members.userId))
          .limit(1);
        return change(transaction, id, { ...fields, creatorId: heir?.userId ?? null }, [userId]);
      }),
  };
}

async function unchanged(transaction: Pick<Drizzle, "select">, id: string): Promise<MembershipChange> {
  const [row] = await transaction.select(conversationColumns).from(conversations).where(eq(conversations.id, id));
  if (row === undefined) throw new Error("a locked conversation vanished");
  return { conversation: toConversation(row), users: [] };
}
