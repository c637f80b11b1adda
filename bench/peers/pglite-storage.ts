import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { CREATE_MESSAGES, INSERT_MESSAGE, messageValues } from "./message-table.ts";
import type { Storage } from "./messages.ts";

/** One INSERT, and so one commit, for each message. Opened as `db/client.ts` opens Parley's. `folder`: an empty one. */
export async function openPgliteStorage(folder: string): Promise<Storage> {
  await mkdir(folder, { recursive: true });
  const pglite = new PGlite(join(folder, "pglite"));
  await pglite.exec(CREATE_MESSAGES);
  return {
    store: async (message) => {
      await pglite.query(INSERT_MESSAGE, messageValues(message));
    },
    close: () => pglite.close(),
  };
}
