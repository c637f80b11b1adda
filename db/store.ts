/** Storage, whole: every query of the core's port, with failures named. */
import type { Store } from "../server/core/store.ts";
import { amendStore } from "./amend.ts";
import type { Database } from "./client.ts";
import { conversationStore } from "./conversations.ts";
import { deliveryStore } from "./delivery.ts";
import { answering } from "./failures.ts";
import { groupStore } from "./groups.ts";
import { historyStore } from "./history.ts";
import { sendStore } from "./send.ts";
import { unreadStore } from "./unread.ts";
import { userStore } from "./users.ts";
import { viewStore } from "./views.ts";

/** `pageBytes`: how much of messages is read at a time where delivery makes up for what it missed. */
export function createStore(database: Database, newId: () => string, pageBytes = 1_048_576): Store {
  const { drizzle } = database;
  return namingFailures({
    ...userStore(drizzle, database.search),
    ...conversationStore(drizzle, newId),
    ...viewStore(drizzle),
    ...groupStore(drizzle, newId),
    ...sendStore(database),
    ...amendStore(database),
    ...historyStore(drizzle),
    ...deliveryStore(drizzle, pageBytes),
    ...unreadStore(drizzle),
    ping: () => database.ping(),
    close: () => database.close(),
  });
}

/** Every method answers or rejects with `StorageUnavailable`; what else it throws is a fault of ours. */
function namingFailures(store: Store): Store {
  return new Proxy(store, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== "function") return method;
      return (...args: unknown[]) => answering(async () => method.apply(target, args));
    },
  });
}
