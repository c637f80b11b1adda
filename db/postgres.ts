/**
 * Connections to PostgreSQL through pg (node-postgres). Whatever is waited for has a limit, and a connection whose state is
 * not known is closed, never used again: no statement can see the answer to another one.
 */
import { Socket } from "node:net";
import { join } from "node:path";
import { drizzle as drizzleOf } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { Client, type ClientConfig, escapeIdentifier, Pool, type PoolClient, type QueryConfig } from "pg";
import type { Drizzle, Row } from "./client.ts";
import { isAway } from "./failures.ts";
import { rootFolder } from "./root-folder.ts";

export interface PostgresOptions {
  readonly url: string;
  /** Schema to live in, by its exact name; made when it is not there. Null: the server's own search path. */
  readonly searchPath: string | null;
  /** Told of the server's notices, and of connections that were lost while nobody used them. */
  readonly onNotice?: (message: string) => void;
}

/** For a connection to open. All limits are in milliseconds. */
const CONNECT_LIMIT = 5_000;
/** For a connection to come free: more than opening one takes, so that a burst of requests gets through. */
const QUEUE_LIMIT = 15_000;
/** For a statement or a whole transaction, after which the server or the way to it counts as dead. */
const USE_LIMIT = 15_000;
/** The server gives up sooner than the one who asked, so that nothing is stored that nobody waits for any more. */
const SERVER_LIMITS = { statement_timeout: "12000", idle_in_transaction_session_timeout: "12000" } as const;
/** For what is under way when the connections are closed. */
const CLOSE_LIMIT = 5_000;
/** Of silence, after which the other side is asked whether it is still there. */
const KEEPALIVE_DELAY = 10_000;

export interface Connections {
  readonly drizzle: Drizzle;
  /** Prepared once on each connection. */
  query(statement: string, params: readonly (string | null)[]): Promise<Row[]>;
  /** What is under way may finish; what is asked from now on rejects. */
  close(): Promise<void>;
}

/** The pool has one limit, for its queue and for opening a connection; a connection's own may be shorter. */
class PromptClient extends Client {
  constructor(config?: ClientConfig) {
    super({ ...config, connectionTimeoutMillis: CONNECT_LIMIT });
  }
}

/** Opens none before it is needed, `max` at most, and keeps them. `settings`: of each session. */
export function openConnections(
  options: PostgresOptions,
  max: number,
  settings: Readonly<Record<string, string>>,
): Connections {
  const sockets = new Set<Socket>();
  const pool = new Pool({
    ...configOf(options, { ...SERVER_LIMITS, ...settings }),
    Client: PromptClient,
    max,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: QUEUE_LIMIT,
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      return socket.once("close", () => sockets.delete(socket));
    },
  });
  pool.on("error", (error) => options.onNotice?.(error.message));
  pool.on("connect", (client) => listen(client, options));

  async function use<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    // In the middle of a statement this cuts the connection: the statement rejects, and so does all that follows on it.
    const limit = setTimeout(() => client.end(), USE_LIMIT);
    let failure: unknown;
    try {
      return await work(client);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      clearTimeout(limit);
      client.release(isAway(failure));
    }
  }

  const names = new Map<string, string>();
  function nameOf(statement: string): string {
    const name = names.get(statement) ?? `statement_${names.size + 1}`;
    names.set(statement, name);
    return name;
  }

  // All that drizzle asks of a client outside of a transaction.
  const client = { query: (query: QueryConfig, values: unknown[]) => use((one) => one.query(query, values)) };
  // Drizzle's own would never give back a connection on which BEGIN failed.
  const transaction: Drizzle["transaction"] = (work, config) =>
    use((one) => (drizzleOf(one) as Drizzle).transaction(work, config));

  return {
    drizzle: Object.assign(drizzleOf(client as Client) as Drizzle, { transaction }),
    query: async (text, params) => {
      const { rows } = await use((one) => one.query<Row>({ name: nameOf(text), text, values: [...params] }));
      return rows;
    },
    close: async () => {
      const limit = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, CLOSE_LIMIT);
      await pool.end();
      await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve))));
      clearTimeout(limit);
    },
  };
}

/** An arbitrary number, the same for every version: nodes that start together on an empty database migrate it once. */
const MIGRATION_LOCK = 7_275_335_690;

/** Waits as long as another node, or a migration, takes. */
export async function migratePostgres(options: PostgresOptions): Promise<void> {
  const { searchPath } = options;
  const client = new PromptClient(configOf(options, {}));
  listen(client, options);
  await client.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [MIGRATION_LOCK]);
    if (searchPath !== null) await client.query(`create schema if not exists ${escapeIdentifier(searchPath)}`);
    // Beside the tables, wherever they are: the same database with and without its default schema named is the same.
    const { rows } = await client.query<{ schema: string }>("select current_schema() as schema");
    await migrate(drizzleOf(client), {
      migrationsFolder: join(rootFolder(), "migrations"),
      ...(rows[0] !== undefined && { migrationsSchema: rows[0].schema }),
    });
  } finally {
    // The lock is the session's: it goes with the connection.
    await client.end();
  }
}

function listen(client: Client, { onNotice }: PostgresOptions): void {
  client.on("notice", (notice) => onNotice?.(notice.message ?? ""));
  // Unheard, it would end the process. The statement it befell rejects with it; without one, the next statement rejects.
  client.on("error", () => {});
}

/** What the URL sets itself, it sets for good: pg puts its parameters above these. */
function configOf({ url, searchPath }: PostgresOptions, settings: Readonly<Record<string, string>>): ClientConfig {
  const connection = new URL(url);
  const all = searchPath === null ? settings : { ...settings, search_path: escapeIdentifier(searchPath) };
  const options = Object.entries(all).map(([name, value]) => `-c ${name}=${value}`);
  connection.searchParams.set("options", [...options, connection.searchParams.get("options") ?? ""].join(" "));
  return {
    connectionString: connection.href,
    application_name: "parley",
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_DELAY,
  };
}
