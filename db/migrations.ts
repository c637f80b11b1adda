/**
 * Brings the tables up to date, on either database. What is there is looked at first: a database that is up to date is
 * asked for no right to create anything. The journal is drizzle's, beside the tables, wherever they are.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { CannotStart } from "../server/core/errors.ts";
import { type Drizzle, rowsOf } from "./client.ts";
import { errorCode } from "./failures.ts";
import { rootFolder } from "./root-folder.ts";

export interface MigrationOptions {
  /** That the tables are in: the first of the search path. */
  readonly schema: string;
  /** Told, once, that another node migrates and is waited for. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** An arbitrary number, the same for every version: nodes that start together on an empty database migrate it once. */
const MIGRATION_LOCK = 7_275_335_690;
/** Milliseconds for another node's migration, and for a lock on a table that this one changes. */
const WAIT_LIMIT = 60_000;
const WAIT_STEP = 200;

const JOURNAL = "__drizzle_migrations";

/** @throws CannotStart when another session holds what is needed for too long, or the journal may not be read */
export async function migrate(database: Drizzle, { schema, onWarning }: MigrationOptions): Promise<void> {
  const migrations = readMigrationFiles({ migrationsFolder: join(rootFolder(), "migrations") });
  const newest = migrations.at(-1)?.folderMillis ?? 0;
  const journal = sql`${sql.identifier(schema)}.${sql.identifier(JOURNAL)}`;

  /** Of the newest migration that was done, in the journal's milliseconds; 0 when none was. */
  async function done(inside: Pick<Drizzle, "execute">): Promise<number> {
    const there = sql`select from pg_catalog.pg_tables where schemaname = ${schema} and tablename = ${JOURNAL}`;
    if (rowsOf(await inside.execute(there)).length === 0) return 0;
    const [row] = rowsOf(await inside.execute(sql`select max(created_at)::float8 as at from ${journal}`));
    return Number(row?.at ?? 0);
  }

  async function attempt(): Promise<"done" | "busy"> {
    return database.transaction(async (transaction) => {
      const lock = sql`select pg_try_advisory_xact_lock(${MIGRATION_LOCK}::bigint) as mine`;
      const [row] = rowsOf(await transaction.execute(lock));
      if (row?.mine !== true) return "busy";
      // A large table takes its time; only what others hold is not waited for without end.
      await transaction.execute(sql`select set_config('statement_timeout', '0', true)`);
      await transaction.execute(sql`select set_config('lock_timeout', ${`${WAIT_LIMIT}`}, true)`);
      const before = await done(transaction);
      if (before === 0) {
        await transaction.execute(
          sql`create table if not exists ${journal} (id serial primary key, hash text not null, created_at bigint)`,
        );
      }
      for (const migration of migrations) {
        if (migration.folderMillis <= before) continue;
        for (const statement of migration.sql) await transaction.execute(sql.raw(statement));
        await transaction.execute(
          sql`insert into ${journal} (hash, created_at) values (${migration.hash}, ${migration.folderMillis})`,
        );
      }
      return "done";
    });
  }

  if ((await done(database)) >= newest) return;
  const deadline = performance.now() + WAIT_LIMIT;
  try {
    for (let isTold = false; (await attempt()) === "busy"; await sleep(WAIT_STEP)) {
      if (performance.now() > deadline) {
        throw new CannotStart(
          `another session has been migrating schema "${schema}" for more than ${WAIT_LIMIT / 1_000} s; find it in pg_locks (locktype 'advisory')`,
        );
      }
      if (!isTold) onWarning?.(`another session migrates schema "${schema}"; waiting up to ${WAIT_LIMIT / 1_000} s`);
      isTold = true;
    }
  } catch (error) {
    if (errorCode(error) !== "55P03") throw error;
    throw new CannotStart(
      `a migration waited ${WAIT_LIMIT / 1_000} s for a table of schema "${schema}" that another session holds; find it in pg_locks, or stop the other nodes`,
      { cause: error },
    );
  }
}
