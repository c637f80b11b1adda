/**
 * The two databases the server runs on, behind one face: PostgreSQL, and PGlite, PostgreSQL compiled into the
 * process, for who has nothing but Node.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { PGlite } from "@electric-sql/pglite";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import { drizzle as drizzlePglite } from "drizzle-orm/pglite";
import { migrate as migratePglite } from "drizzle-orm/pglite/migrator";
import { lockFolder } from "./folder-lock.ts";
import { openEmbeddedPostgres } from "./pglite.ts";
import { migratePostgres, openConnections, type PostgresOptions } from "./postgres.ts";
import { rootFolder } from "./root-folder.ts";

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
  readonly writer: Writer;
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

export async function openPostgres(options: PostgresOptions): Promise<Database> {
  await migratePostgres(options);
  const readers = openConnections(options, READERS, {});
  const writer = openConnections(options, 1, BY_KEY);
  return {
    description: `PostgreSQL at ${new URL(options.url).host}${new URL(options.url).pathname}`,
    drizzle: readers.drizzle,
    writer: {
      query: writer.query,
      transaction: (work) => writer.drizzle.transaction((transaction) => work(transaction as Drizzle)),
    },
    ping: async () => {
      await readers.query("select 1", []);
    },
    close: async () => {
      await Promise.all([readers.close(), writer.close()]);
    },
  };
}

/** `folder` null: in memory, gone with the process. `onNotice`: told when the database gave up, and what became of it. */
export async function openPglite(folder: string | null, onNotice?: (message: string) => void): Promise<Database> {
  let release = async () => {};
  if (folder !== null) {
    await mkdir(folder, { recursive: true });
    release = await lockFolder(folder);
  }
  const pglite = await openEmbeddedPostgres({ folder, settings: BY_KEY, ...(onNotice && { onNotice }) });
  // All that drizzle asks of a client.
  const database = drizzlePglite(pglite.client as PGlite);
  await migratePglite(database, { migrationsFolder: join(rootFolder(), "migrations") });
  return {
    description:
      folder === null ? "embedded PostgreSQL (PGlite) in memory" : `embedded PostgreSQL (PGlite) in ${folder}`,
    drizzle: database as Drizzle,
    writer: {
      query: async (statement, params) => (await pglite.client.query<Row>(statement, [...params])).rows,
      transaction: (work) => database.transaction((transaction) => work(transaction as Drizzle)),
    },
    ping: async () => {
      await pglite.client.query("select 1");
    },
    close: async () => {
      await pglite.close();
      await release();
    },
  };
}
