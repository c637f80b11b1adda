/**
 * The two databases the server runs on, behind one face: PostgreSQL, and PGlite, PostgreSQL compiled into the
 * process, for who has nothing but Node.
 */
import type { PGlite } from "@electric-sql/pglite";
import { sql } from "drizzle-orm";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import { drizzle as drizzlePglite } from "drizzle-orm/pglite";
import { CannotStart, StorageUnavailable } from "../server/core/errors.ts";
import { prepareDataFolder } from "./data-folder.ts";
import { isLackOfRoom } from "./failures.ts";
import { type FolderLock, lockFolder } from "./folder-lock.ts";
import { migrate } from "./migrations.ts";
import { openEmbeddedPostgres } from "./pglite.ts";
import { describePostgres, openConnections, type PostgresOptions } from "./postgres.ts";
import { preparePostgres } from "./prepare-postgres.ts";
import { changes } from "./schema.ts";
import { SESSION_SETTINGS } from "./session-settings.ts";

export type Drizzle = PgDatabase<PgQueryResultHKT>;
export type Row = Record<string, unknown>;

/** The rows of a raw statement run through drizzle, whose type leaves the result open. */
export function rowsOf(result: unknown): Row[] {
  if (typeof result === "object" && result !== null && "rows" in result && Array.isArray(result.rows)) {
    return result.rows;
  }
  throw new TypeError("the driver returned no rows");
}

/** The one connection that messages and read marks are written on: a batch at a time, in order. */
export interface Writer {
  /** One prepared statement of ours; what is not text is cast to float8 in it, because the drivers differ on bigint. */
  query(statement: string, params: readonly (string | null)[]): Promise<Row[]>;
  transaction<T>(work: (transaction: Drizzle) => Promise<T>): Promise<T>;
}

export interface Database {
  /** For a person to read: where it is, without a password. */
  readonly description: string;
  /** Reads, and the rare writes that are not messages. */
  readonly drizzle: Drizzle;
  /** Reads that may take longer than others, on connections of their own: none of the others waits for them. */
  readonly search: Drizzle;
  readonly writer: Writer;
  /** Resolves when a message could be stored now, as far as can be told without storing one. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The writer finds every row by its key. A plan chosen while the tables were still small, and kept for a prepared
 * statement, would go on scanning them when they are large; so it may not choose such a plan at all.
 */
const BY_KEY = { enable_seqscan: "off", enable_hashjoin: "off", enable_mergejoin: "off" } as const;

/** Connections for reads, besides the writer's one. */
const READERS = 8;

/** Connections for searches, and how many of these may wait. */
const SEARCHERS = 2;
const MAX_WAITING_SEARCHES = 64;
/** A search that takes longer, in milliseconds, is given up; and it may not walk through a whole table. */
const SEARCH_SETTINGS = { statement_timeout: "3000", enable_seqscan: "off" } as const;

/** @throws CannotStart when something is in the way, said in one line; its cause may be that nothing answers there */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  await preparePostgres(options);
  const readers = openConnections(options, { max: READERS });
  const searchers = openConnections(options, {
    max: SEARCHERS,
    maxWaiting: MAX_WAITING_SEARCHES,
    settings: SEARCH_SETTINGS,
    others: [readers],
  });
  // Where there are few, messages go before reads.
  const writer = openConnections(options, { max: 1, settings: BY_KEY, others: [searchers, readers] });
  const close = async () => {
    await Promise.all([readers.close(), searchers.close(), writer.close()]);
  };
  try {
    await writer.reserve();
    await readers.reserve();
    await searchers.reserve();
  } catch (error) {
    await close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new CannotStart(`${describePostgres(options.url)}: ${reason}: a node needs at least 3 connections`, {
      cause: error,
    });
  }
  return {
    description: describePostgres(options.url),
    drizzle: readers.drizzle,
    search: searchers.drizzle,
    ...watched({
      query: writer.query,
      transaction: (work) => writer.drizzle.transaction((transaction) => work(transaction as Drizzle)),
    }),
    close,
  };
}

/** `folder` null: in memory, gone with the process. `onNotice`: told when the database gave up, and what became of it. */
export async function openPglite(folder: string | null, onNotice?: (message: string) => void): Promise<Database> {
  if (folder === null) return openEmbedded(null, null, onNotice);
  await prepareDataFolder(folder);
  const lock = await lockFolder(folder, onNotice);
  try {
    return await openEmbedded(folder, lock, onNotice);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openEmbedded(
  folder: string | null,
  lock: FolderLock | null,
  onNotice: ((message: string) => void) | undefined,
): Promise<Database> {
  const settings = { ...SESSION_SETTINGS, ...BY_KEY };
  const check = lock?.check ?? (async () => {});
  const pglite = await openEmbeddedPostgres({ folder, settings, check, ...(onNotice && { onNotice }) });
  // All that drizzle asks of a client.
  const database = drizzlePglite(pglite.client as PGlite) as Drizzle;
  try {
    await migrate(database, { schema: "public" });
  } catch (error) {
    await pglite.close();
    throw error;
  }
  return {
    description:
      folder === null ? "embedded PostgreSQL (PGlite) in memory" : `embedded PostgreSQL (PGlite) in ${folder}`,
    drizzle: database,
    search: database,
    ...watched({
      query: async (statement, params) => (await pglite.client.query<Row>(statement, [...params])).rows,
      transaction: (work) => database.transaction((transaction) => work(transaction as Drizzle)),
    }),
    close: async () => {
      await pglite.close();
      await lock?.release();
    },
  };
}

const CAN_WRITE = `select case when current_setting('transaction_read_only') = 'off' then 'yes' else 'no' end as answer`;

/** A row of the size of a page, which no conversation has. Rolled back, it leaves nothing to read. */
const TRIAL = sql`insert into ${changes} values ('', 0, repeat(md5(random()::text), 250), 'edited', '')`;

/**
 * The writer, and what is asked to learn whether a message could be stored: its own connection. A disk that was full is not
 * seen by reading, so after such a failure something is written, and taken back, until that succeeds.
 */
function watched(writer: Writer): Pick<Database, "writer" | "ping"> {
  let hadNoRoom = false;
  async function watch<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      hadNoRoom = false;
      return result;
    } catch (error) {
      if (isLackOfRoom(error)) hadNoRoom = true;
      throw error;
    }
  }
  const takenBack = new Error("taken back");
  return {
    writer: {
      query: (statement, params) => watch(() => writer.query(statement, params)),
      transaction: (work) => watch(() => writer.transaction(work)),
    },
    ping: async () => {
      const [row] = await writer.query(CAN_WRITE, []);
      if (row?.answer !== "yes") throw new StorageUnavailable(new Error("the database is a standby or read-only"));
      if (!hadNoRoom) return;
      try {
        await writer.transaction(async (transaction) => {
          await transaction.execute(TRIAL);
          throw takenBack;
        });
      } catch (error) {
        if (error !== takenBack) throw error;
        hadNoRoom = false;
      }
    },
  };
}
