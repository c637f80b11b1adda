import { and, eq, ne, or, sql } from "drizzle-orm";
import type { UserStore } from "../server/core/store.ts";
import { isAnyOf } from "./arrays.ts";
import { type Drizzle, rowsOf } from "./client.ts";
import { isUniqueViolation } from "./failures.ts";
import { profileColumns } from "./rows.ts";
import { users } from "./schema.ts";
import { foundProfile, searchStatement } from "./user-search.ts";

/** `search`: with connections of its own, so that nobody waits for who looks for people. */
export function userStore(database: Drizzle, search: Drizzle): UserStore {
  const select = () => database.select(profileColumns).from(users);
  return {
    user: async (id) => (await select().where(eq(users.id, id)))[0] ?? null,
    userByName: async (username) => (await select().where(eq(users.username, username)))[0] ?? null,

    usersByIdOrName: async (idsOrNames) => {
      if (idsOrNames.length === 0) return [];
      const asked = [...idsOrNames];
      const names = asked.map((name) => name.normalize("NFC"));
      const found = await select().where(or(isAnyOf(users.id, asked), isAnyOf(users.username, names)));
      const byId = new Map(found.map((profile) => [profile.id, profile]));
      const byName = new Map(found.map((profile) => [profile.username, profile]));
      return asked.flatMap((name) => {
        const profile = byId.get(name) ?? byName.get(name.normalize("NFC"));
        return profile === undefined ? [] : [{ asked: name, profile }];
      });
    },

    putUser: async (profile) => {
      try {
        return await database.transaction(async (transaction) => {
          const { id, ...fields } = profile;
          const [stored] = await transaction.select({ username: users.username }).from(users).where(eq(users.id, id));
          const isRenamed = stored?.username !== profile.username;
          // A new user's id must be nobody's username, and a new username nobody's id.
          const names = [...(stored === undefined ? spellings(id) : []), ...(isRenamed ? [profile.username] : [])];
          await claimNames(transaction, names);
          if (names.length > 0) {
            const asId = isRenamed ? spellings(profile.username) : [];
            const [holder] = await transaction
              .select({ id: users.id })
              .from(users)
              .where(and(ne(users.id, id), or(isAnyOf(users.username, names), isAnyOf(users.id, asId))))
              .limit(1);
            if (holder !== undefined) return "taken";
          }
          await transaction.insert(users).values(profile).onConflictDoUpdate({ target: users.id, set: fields });
          return "stored";
        });
      } catch (error) {
        if (isUniqueViolation(error)) return "taken";
        throw error;
      }
    },

    searchUsers: async (text, limit, contactsOf) => {
      const statement = searchStatement(text, limit, contactsOf);
      return statement === null ? [] : rowsOf(await search.execute(statement)).map(foundProfile);
    },

    markSeen: async (userIds) => {
      await database.update(users).set({ lastSeenAt: sql`now()` }).where(isAnyOf(users.id, userIds));
    },

    lastSeen: async (userId) => {
      const [row] = await database.select({ at: users.lastSeenAt }).from(users).where(eq(users.id, userId));
      return row?.at?.toISOString() ?? null;
    },
  };
}

/** The forms in which one text may have been given as an id, which is kept as it came. A username has the first. */
function spellings(text: string): string[] {
  return [...new Set([text.normalize("NFC"), text.normalize("NFD")])];
}

/**
 * Usernames and other users' ids never meet, though no unique index holds them apart. So whoever takes one holds a lock on
 * it while looking whether it is the other, in an order that all keep to.
 */
async function claimNames(transaction: Pick<Drizzle, "execute">, names: readonly string[]): Promise<void> {
  const claimed = new Set(names.map((name) => name.normalize("NFC")));
  for (const name of [...claimed].sort()) {
    await transaction.execute(sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`);
  }
}
