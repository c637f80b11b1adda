import { and, eq, sql } from "drizzle-orm";
import type { Conversation } from "../server/core/model.ts";
import type { ConversationStore, MembershipChange, NewGroup } from "../server/core/store.ts";
import { isAnyOf } from "./arrays.ts";
import type { Drizzle } from "./client.ts";
import {
  acceptInvitation,
  checkGroupsOfDay,
  countIn,
  countOut,
  insertMembers,
  invite,
  isInvited,
  NO_LIMIT,
  rememberDeparture,
} from "./memberships.ts";
import { conversationColumns, isMember, profileColumns, toConversation } from "./rows.ts";
import { conversations, members, users } from "./schema.ts";

type GroupStore = Pick<
  ConversationStore,
  "createGroup" | "groupMadeFor" | "updateGroup" | "addMembers" | "rejoin" | "removeMember"
>;

type Transaction = Pick<Drizzle, "select" | "insert" | "update" | "delete" | "execute">;

/** Thrown in a transaction, so that nothing of it stays. */
class Taken extends Error {}

export function groupStore(database: Drizzle, newId: () => string): GroupStore {
  /** Whoever changes the membership, or sends, waits here for whoever came first. */
  const lock = async (transaction: Transaction, id: string) => {
    const [row] = await transaction
      .select({ ...conversationColumns, messageCount: conversations.messageCount })
      .from(conversations)
      .where(and(eq(conversations.id, id), eq(conversations.type, "group")))
      .for("update");
    return row;
  };

  const profilesOf = (transaction: Transaction, userIds: readonly string[]) =>
    transaction.select(profileColumns).from(users).where(isAnyOf(users.id, userIds));

  const change = async (
    transaction: Transaction,
    id: string,
    fields: { membersCount: number; creatorId?: null },
    userIds: readonly string[],
  ): Promise<MembershipChange> => {
    const [row] = await transaction
      .update(conversations)
      .set({ ...fields, membership: sql`${conversations.membership} + 1` })
      .where(eq(conversations.id, id))
      .returning(conversationColumns);
    if (row === undefined) throw new Error("a locked conversation vanished");
    return { conversation: toConversation(row), users: await profilesOf(transaction, userIds) };
  };

  /** Null: a conversation with this id is there, or one that was made for the same. */
  const insertGroup = async (transaction: Transaction, group: NewGroup, id: string): Promise<Conversation | null> => {
    const { name, imageUrl, creatorId, memberIds, madeFor = null } = group;
    const [row] = await transaction
      .insert(conversations)
      .values({
        id,
        type: "group",
        name,
        imageUrl,
        creatorId,
        madeBy: creatorId,
        madeFor,
        idChosen: id === group.id,
        membersCount: memberIds.length,
      })
      .onConflictDoNothing()
      .returning(conversationColumns);
    if (row === undefined) return null;
    await insertMembers(transaction, { id, seq: 0, messageCount: 0 }, memberIds);
    return toConversation(row);
  };

  const isUsername = async (transaction: Transaction, name: string): Promise<boolean> => {
    const found = await transaction.select({ id: users.id }).from(users).where(eq(users.username, name));
    return found.length > 0;
  };

  return {
    createGroup: async (group, { conversationsPerUser = NO_LIMIT, groupsPerDay = NO_LIMIT } = {}) => {
      try {
        return await database.transaction(async (transaction) => {
          const { creatorId } = group;
          await checkGroupsOfDay(transaction, creatorId, groupsPerDay);
          await countIn(transaction, group.memberIds, conversationsPerUser);
          if (group.id !== null && !(await isUsername(transaction, group.id))) {
            const made = await insertGroup(transaction, group, group.id);
            if (made !== null) return made;
            const mine = await transaction.select().from(members).where(isMember(group.id, creatorId));
            if (mine.length > 0) throw new Taken();
          }
          // What is in the way of a chosen id is not the caller's to know of.
          const made = await insertGroup(transaction, group, newId());
          if (made === null) throw new Taken();
          return made;
        });
      } catch (error) {
        if (error instanceof Taken) return "taken";
        throw error;
      }
    },

    groupMadeFor: async (makerId, madeFor) => {
      const [row] = await database
        .select(conversationColumns)
        .from(conversations)
        .where(and(eq(conversations.madeBy, makerId), eq(conversations.madeFor, madeFor)));
      return row === undefined ? null : toConversation(row);
    },

    updateGroup: async (id, fields) => {
      const [row] = await database
        .update(conversations)
        .set(fields)
        .where(and(eq(conversations.id, id), eq(conversations.type, "group")))
        .returning(conversationColumns);
      return row === undefined ? null : toConversation(row);
    },

    addMembers: (id, userIds, limit, conversationsPerUser = NO_LIMIT) =>
      database.transaction(async (transaction) => {
        const group = await lock(transaction, id);
        if (group === undefined) throw new Error("members can be added to a group only");
        const present = await transaction
          .select({ userId: members.userId })
          .from(members)
          .where(and(eq(members.conversationId, id), isAnyOf(members.userId, userIds)));
        const presentIds = new Set(present.map((row) => row.userId));
        const absent = userIds.filter((userId) => !presentIds.has(userId));
        const invitedIds = new Set(await invite(transaction, id, absent));
        const invited = await profilesOf(transaction, [...invitedIds]);
        const newIds = absent.filter((userId) => !invitedIds.has(userId));
        if (newIds.length === 0) return { ...(await unchanged(transaction, id)), invited };
        if (group.membersCount + newIds.length > limit) return "too_many";
        await countIn(transaction, newIds, conversationsPerUser);
        await insertMembers(transaction, group, newIds);
        const added = await change(transaction, id, { membersCount: group.membersCount + newIds.length }, newIds);
        return { ...added, invited };
      }),

    rejoin: (id, userId, limit, conversationsPerUser = NO_LIMIT) =>
      database.transaction(async (transaction) => {
        const group = await lock(transaction, id);
        if (group === undefined) return "not_invited";
        if (group.membersCount >= limit) return (await isInvited(transaction, id, userId)) ? "too_many" : "not_invited";
        if (!(await acceptInvitation(transaction, id, userId))) return "not_invited";
        await countIn(transaction, [userId], conversationsPerUser);
        await insertMembers(transaction, group, [userId]);
        return change(transaction, id, { membersCount: group.membersCount + 1 }, [userId]);
      }),

    removeMember: (id, userId, isLeaving = false) =>
      database.transaction(async (transaction) => {
        const group = await lock(transaction, id);
        if (group === undefined) throw new Error("members can be removed from a group only");
        const removed = await transaction.delete(members).where(isMember(id, userId)).returning({ id: members.userId });
        if (removed.length === 0) return unchanged(transaction, id);
        await countOut(transaction, userId);
        if (isLeaving) await rememberDeparture(transaction, id, userId);
        const fields = { membersCount: group.membersCount - 1 };
        return change(transaction, id, group.creatorId === userId ? { ...fields, creatorId: null } : fields, [userId]);
      }),
  };
}

async function unchanged(transaction: Pick<Drizzle, "select">, id: string): Promise<MembershipChange> {
  const [row] = await transaction.select(conversationColumns).from(conversations).where(eq(conversations.id, id));
  if (row === undefined) throw new Error("a locked conversation vanished");
  return { conversation: toConversation(row), users: [] };
}
