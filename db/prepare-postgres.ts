/**
 * Looks at a PostgreSQL before the server stands on it, and brings its tables up to date. Whatever is in the way is said in
 * one line, with the statement that clears it, rather than met by the first user.
 */
import { getTableName, is } from "drizzle-orm";
import { drizzle as drizzleOf } from "drizzle-orm/node-postgres";
import { PgTable } from "drizzle-orm/pg-core";
import { type Client, escapeIdentifier } from "pg";
import { CannotStart } from "../server/core/errors.ts";
import type { Drizzle } from "./client.ts";
import { errorCode, isAway, isLackOfConnections } from "./failures.ts";
import { migrate } from "./migrations.ts";
import { backendOf, describePostgres, holdBackend, letGo, openClient, type PostgresOptions } from "./postgres.ts";
import * as schema from "./schema.ts";
import { SESSION_SETTINGS } from "./session-settings.ts";

/** @throws CannotStart with one line; its cause is what PostgreSQL said, where it said something. */
export async function preparePostgres(options: PostgresOptions): Promise<void> {
  const where = describePostgres(options.url);
  try {
    await refusePooledTransactions(options);
    await withClient(options, SESSION_SETTINGS, async (client) => {
      await refuseEncoding(client);
      const place = await findSchema(client, options.searchPath);
      try {
        await migrate(drizzleOf(client) as Drizzle, { schema: place.schema, onWarning: options.onWarning });
      } catch (error) {
        throw errorCode(error) === "42501" ? lackOfRights(place, error) : error;
      }
      await refuseMissingRights(client, place);
    });
  } catch (error) {
    if (error instanceof CannotStart) throw new CannotStart(`${where}: ${error.message}`, { cause: error.cause });
    throw new CannotStart(`${where}: ${reasonOf(error)}`, { cause: error });
  }
}

interface Place {
  readonly schema: string;
  readonly role: string;
}

async function withClient<T>(
  options: PostgresOptions,
  settings: Parameters<typeof openClient>[1],
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await openClient(options, settings);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Connections beside the first that hold a transaction open. */
const NEIGHBOURS = 2;
/** How often it is looked: where others use the pooler too, the first may happen to get the same connection again. */
const LOOKS = 8;

/**
 * A pooler that hands out its connections for a transaction at a time gives what belongs to a session (settings, prepared
 * statements) to whoever comes next. It shows by a connection of ours being now on one of PostgreSQL's, now on another, or
 * by two of ours being on the same; nothing is set before this is known.
 */
async function refusePooledTransactions(options: PostgresOptions): Promise<void> {
  await withClient(options, null, async (first) => {
    const own = await backendOf(first);
    const hasMoved = async () => (await backendOf(first)) !== own;
    const neighbours: Client[] = [];
    try {
      for (let count = 0; count < NEIGHBOURS; count += 1) {
        const neighbour = await openNeighbour(options);
        if (neighbour === null) break;
        neighbours.push(neighbour);
      }
      if (!(await isShared(own, hasMoved, neighbours))) return;
    } catch (error) {
      // In its statement mode pgbouncer refuses a transaction.
      if (!(error instanceof Error && /statement pooling/.test(error.message))) throw error;
    } finally {
      await Promise.all(neighbours.map((neighbour) => neighbour.end()));
    }
    throw new CannotStart(
      "a pooler in transaction or statement mode is in front of it, and sessions do not last there; set pool_mode = session, or connect to PostgreSQL itself",
    );
  });
}

/** With none, some and all of the neighbours in a transaction: a pooler that takes turns, or takes the last one, shows in one. */
async function isShared(
  own: number,
  hasMoved: () => Promise<boolean>,
  neighbours: readonly Client[],
): Promise<boolean> {
  for (let look = 0; look < LOOKS; look += 1) {
    if (await hasMoved()) return true;
    for (const neighbour of neighbours) {
      if ((await holdBackend(neighbour)) === own || (await hasMoved())) return true;
    }
    for (const neighbour of neighbours) await letGo(neighbour);
  }
  return false;
}

/** Null where there is no connection left for it: what is pooled has room for more of them than this. */
async function openNeighbour(options: PostgresOptions): Promise<Client | null> {
  let neighbour: Client | null = null;
  try {
    neighbour = await openClient(options, null);
    // In its session mode a pooler takes a client in before there is a connection for it.
    await backendOf(neighbour);
    return neighbour;
  } catch (error) {
    await neighbour?.end();
    if (errorCode(error) === "53300" || isAway(error) || isLackOfConnections(error)) return null;
    throw error;
  }
}

async function refuseEncoding(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>("select current_setting('server_encoding') as name");
  const name = rows[0]?.name;
  // SQL_ASCII stores any bytes, but counts and folds them one by one, and another client may put in what is no text at all.
  if (name !== "UTF8") {
    throw new CannotStart(
      `its encoding is ${name}, which cannot hold every text; make a database with UTF8: create database … template template0 encoding 'UTF8'`,
    );
  }
}

/** The schema that the tables are in; made where it was asked for and is not there. */
async function findSchema(client: Client, asked: string | null): Promise<Place> {
  const look = async () => {
    const { rows } = await client.query<{ schema: string | null; role: string; path: string; exists: boolean }>(
      `select current_schema() as schema, current_user as role, current_setting('search_path') as path,
         exists (select from pg_catalog.pg_namespace where nspname = $1) as exists`,
      [asked],
    );
    const [row] = rows;
    if (row === undefined) throw new Error("PostgreSQL returned no row");
    return row;
  };
  let found = await look();
  const role = escapeIdentifier(found.role);
  if (asked !== null && !found.exists) {
    await createSchema(client, asked, role);
    found = await look();
  }
  const { schema } = found;
  if (asked !== null && schema !== asked) {
    const name = escapeIdentifier(asked);
    throw new CannotStart(`role ${role} may not use schema ${name}: grant usage, create on schema ${name} to ${role}`);
  }
  if (schema === null) {
    throw new CannotStart(
      `no schema of the search path (${found.path}) is there for role ${role}: create it, or name one with ?schema= in DATABASE_URL`,
    );
  }
  return { schema, role };
}

async function createSchema(client: Client, name: string, role: string): Promise<void> {
  const identifier = escapeIdentifier(name);
  try {
    await client.query(`create schema if not exists ${identifier}`);
  } catch (error) {
    switch (errorCode(error)) {
      case "42501":
        throw new CannotStart(
          `schema ${identifier} is not there, and role ${role} may not make it: create schema ${identifier} authorization ${role}`,
          { cause: error },
        );
      // Another node made it in this very moment.
      case "23505":
      case "42P06":
        return;
      default:
        throw error;
    }
  }
}

function lackOfRights({ schema, role }: Place, cause: unknown): CannotStart {
  const name = escapeIdentifier(schema);
  return new CannotStart(
    `role ${role} may not create or change the tables in schema ${name}: grant usage, create on schema ${name} to ${role}; or, as the tables' owner, run npm run db:migrate`,
    { cause },
  );
}

const RIGHTS = ["select", "insert", "update", "delete"] as const;

async function refuseMissingRights(client: Client, { schema: name, role }: Place): Promise<void> {
  const tables = Object.values(schema).flatMap((table) => (is(table, PgTable) ? [getTableName(table)] : []));
  const { rows } = await client.query<{ table: string; right: string }>(
    `select tables.name as table, rights.name as right
       from unnest($2::text[]) with ordinality as tables(name, place), unnest($3::text[]) as rights(name)
       where not has_table_privilege(format('%I.%I', $1::text, tables.name), rights.name)
       order by tables.place`,
    [name, tables, RIGHTS],
  );
  const [missing] = rows;
  if (missing === undefined) return;
  const identifier = escapeIdentifier(name);
  throw new CannotStart(
    `role ${role} may not ${missing.right} in table ${escapeIdentifier(missing.table)}: grant ${RIGHTS.join(", ")} on all tables in schema ${identifier} to ${role}`,
  );
}

/** One line of whatever PostgreSQL, or the way to it, said. */
function reasonOf(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  if (cause instanceof AggregateError && cause.message === "") return cause.errors.map(reasonOf).join(", ");
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = errorCode(error);
  const line = message.replace(/\s+/g, " ");
  switch (code) {
    case "08P01":
      return /startup parameter/.test(line) ? `${line}: a pooler does not know it; take it out of DATABASE_URL` : line;
    case "53300":
      return `${line}: the server needs at least 4 connections`;
    case "25006":
      return `${line}: it is a standby or read-only, and its tables are not up to date; connect to the primary`;
    default:
      return line;
  }
}
