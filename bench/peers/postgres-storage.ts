import { Pool } from "pg";
import { CREATE_MESSAGES, INSERT_MESSAGE, messageValues } from "./message-table.ts";
import type { Storage } from "./messages.ts";

/**
 * Connections at most: the best for these peers among those tried, on 2 cores with PostgreSQL 15, 50 direct conversations.
 * Messages/s of ws-insert, medians of 5 runs:
 *
 *     connections       4     10     20     32     50
 *     4 in flight   6,001  8,932  9,950 10,211  9,475
 *     1 in flight   6,254  9,305  9,563  9,201  8,639
 *
 * A second time, 4 in flight: 11,257 with 20, 10,758 with 32. CPU of the server for a message: 61 and 60 µs.
 */
const CONNECTIONS = 20;

/** One INSERT, and so one commit, for each message. `url`: a database of the peer's own. */
export async function openPostgresStorage(url: string): Promise<Storage> {
  const pool = new Pool({ connectionString: url, max: CONNECTIONS, idleTimeoutMillis: 0 });
  await pool.query(CREATE_MESSAGES);
  return {
    store: async (message) => {
      await pool.query({ name: "insert_message", text: INSERT_MESSAGE, values: messageValues(message) });
    },
    close: () => pool.end(),
  };
}
