import { eq, ilike, inArray, or, sql } from "drizzle-orm";
import type { UserStore } from "../server/core/store.ts";
import type { Drizzle } from "./client.ts";
import { isUniqueViolation } from "./failures.ts";
import { profileColumns } from "./rows.ts";
import { conversations, users } from "./schema.ts";

export function userStore(database: Drizzle): UserStore {
  const select = () => database.select(profileColumns).from(users);
  return {
    user: async (id) => (await select().where(eq(users.id, id)))[0] ?? null,
    userByName: async (username) => (await select().where(eq(users.username, username)))[0] ?? null,

    usersByIdOrName: async (idsOrNames) => {
      if (idsOrNames.length === 0) return [];
      const asked = [...idsOrNames];
      const found = await select().where(or(inArray(users.id, asked), inArray(users.username, asked)));
      const byId = new Map(found.map((profile) => [profile.id, profile]));
      const byName = new Map(found.map((profile) => [profile.username, profile]));
      return asked.flatMap((name) => {
        const profile = byId.get(name) ?? byName.get(name);
        return profile === undefined ? [] : [{ asked: name, profile }];
      });
    },

    putUser: async (profile) => {
      try {
        return await database.transaction(async (transaction) => {
          await claimName(transaction, profile.username);
          const [conversation] = await transaction
            .select({ id: conversations.id })
            .from(conversations)
            .where(eq(conversations.id, profile.username));
          if (conversation !== undefined) return "taken";
          const { id, ...fields } = profile;
          await transaction.insert(users).values(profile).onConflictDoUpdate({ target: users.id, set: fields });
          return "stored";
        });
      } catch (error) {
        if (isUniqueViolation(error)) return "taken";
        throw error;
      }
    },

    searchUsers: (text, limit) => {
      const pattern = `%${text.replace(/[\\%_]/g, "\\$&")}%`;
      return select()
        .where(or(ilike(users.username, pattern), ilike(users.name, pattern)))
        .orderBy(users.username)
        .limit(limit);
    },

    markSeen: async (userIds) => {
      await database
        .update(users)
        .set({ lastSeenAt: sql`now()` })
        .where(inArray(users.id, [...userIds]));
    },

    lastSeen: async (userId) => {
      const [row] = await database.select({ at: users.lastSeenAt }).from(users).where(eq(users.id, userId));
      return row?.at?.toISOString() ?? null;
    },
  };
}

/**
 * Usernames and conversation ids never meet. Two tables cannot share a unique index, so whoever takes a name that a
 * person chose (a username, a group id) holds this lock on it while looking in the other table.
 */
export async function claimName(transaction: Pick<Drizzle, "execute">, name: string): Promise<void> {
  await transaction.execute(sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`);
}
