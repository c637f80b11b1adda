/** Users who know each other, stored as the server stores them, and without a server. */
import { v7 as newId } from "uuid";
import { openPostgres } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import type { Store } from "../../server/core/store.ts";
import { concurrently } from "../load/concurrently.ts";

/** Twice the connections that the store reads and makes conversations with. */
const AT_ONCE = 16;

/**
 * On an empty database: makes the tables, the users, and so many direct conversations for each of them, without messages.
 * The users stand in a circle, and each knows their nearest. `each` is even, and less than the number of users.
 */
export async function acquaint(databaseUrl: string, users: readonly string[], each: number): Promise<void> {
  const store = createStore(await openPostgres({ url: databaseUrl, searchPath: null }), newId);
  try {
    await concurrently(users.length, AT_ONCE, (index) => introduce(store, users[index] ?? ""));
    const steps = each / 2;
    await concurrently(users.length * steps, AT_ONCE, async (index) => {
      const one = Math.floor(index / steps);
      const other = (one + (index % steps) + 1) % users.length;
      await store.openDirect(users[one] ?? "", users[other] ?? "");
    });
  } finally {
    await store.close();
  }
}

/** As a token with this `sub` alone makes them. */
async function introduce(store: Store, user: string): Promise<void> {
  await store.putUser({ id: user, username: user, name: user, firstName: "", lastName: "", avatar: null });
}
