/**
 * Connections to PostgreSQL through pg (node-postgres). Whatever is waited for has a limit, and a connection whose state is
 * not known is closed, never used again: no statement can see the answer to another one.
 */
import { Socket } from "node:net";
import { drizzle as drizzleOf } from "drizzle-orm/node-postgres";
import {
  Client,
  type ClientBase,
  type ClientConfig,
  escapeIdentifier,
  Pool,
  type PoolClient,
  type QueryConfig,
} from "pg";
import { StorageUnavailable } from "../server/core/errors.ts";
import type { Drizzle, Row } from "./client.ts";
import { errorCode, isAway, isLackOfConnections } from "./failures.ts";
import { LIFT_LIMIT, SESSION_SETTINGS, SET_SETTINGS, type Settings } from "./session-settings.ts";

export interface PostgresOptions {
  readonly url: string;
  /** Schema to live in, by its exact name; made when it is not there. Null: the server's own search path. */
  readonly searchPath: string | null;
  /** Told of the server's notices, and of connections that were lost while nobody used them. */
  readonly onNotice?: ((message: string) => void) | undefined;
  /** Told of what the operator should know of: another node that is waited for, too few connections. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** For a connection to open. All limits are in milliseconds. */
const CONNECT_LIMIT = 5_000;
/** For a connection to come free: more than opening one takes, so that a burst of requests gets through. */
const QUEUE_LIMIT = 15_000;
/** For a statement or a whole transaction, after which the server or the way to it counts as dead. */
const USE_LIMIT = 15_000;
/** For what is under way when the connections are closed. */
const CLOSE_LIMIT = 5_000;
/** Of silence, after which the other side is asked whether it is still there. */
const KEEPALIVE_DELAY = 10_000;
/** After which more connections are tried again, where there were no more to be had. */
const GROW_DELAY = 30_000;

export interface Connections {
  readonly drizzle: Drizzle;
  /** Prepared once on each connection. */
  query(statement: string, params: readonly (string | null)[]): Promise<Row[]>;
  /** Opens one and keeps it, so that it is there when it is needed. */
  reserve(): Promise<void>;
  /** Closes one, where there are two or more, as soon as it is free, and opens no more for a while. */
  yieldOne(): Promise<void>;
  /** What is under way may finish; what is asked from now on rejects. */
  close(): Promise<void>;
}

export interface ConnectionsOptions {
  /** Opens none before it is needed, so many at most, and keeps them. */
  readonly max: number;
  /** Who may wait for one at a time; beyond, what is asked is unavailable at once. Default: any number. */
  readonly maxWaiting?: number;
  /** Of each session, beside and above those of all sessions. */
  readonly settings?: Settings;
  /** Others to take one from where there is none left for these. */
  readonly others?: readonly Pick<Connections, "yieldOne">[];
}

/** The pool has one limit, for its queue and for opening a connection; a connection's own may be shorter. */
class PromptClient extends Client {
  constructor(config?: ClientConfig) {
    super({ ...config, connectionTimeoutMillis: CONNECT_LIMIT });
  }
}

export function openConnections(options: PostgresOptions, connections: ConnectionsOptions): Connections {
  const { max, maxWaiting = Number.POSITIVE_INFINITY, settings = {}, others = [] } = connections;
  const sockets = new Set<Socket>();
  let growing: NodeJS.Timeout | undefined;
  const pool = new Pool({
    ...configOf(options),
    Client: PromptClient,
    max,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: QUEUE_LIMIT,
    onConnect: (client) => set(client, options, settings),
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      return socket.once("close", () => sockets.delete(socket));
    },
  });
  pool.on("error", (error) => options.onNotice?.(error.message));
  /** The pool's own count has those too that are being opened, and may never be. */
  const open = new Set<Client>();
  pool.on("connect", (client) => {
    listen(client, options);
    open.add(client);
    client.once("end", () => open.delete(client));
  });

  /** No more than there are; for a while, since those who have the others may give them back. */
  function shrinkTo(size: number): void {
    if (pool.options.max <= size) return;
    pool.options.max = size;
    options.onWarning?.(`PostgreSQL has no more connections: going on with ${size} of ${max}`);
    clearTimeout(growing);
    growing = setTimeout(() => {
      pool.options.max = max;
    }, GROW_DELAY).unref();
  }

  async function acquire(): Promise<PoolClient> {
    if (pool.waitingCount >= maxWaiting) throw new StorageUnavailable(new Error("too many wait for a connection"));
    // A burst tries to open several at once, and each that fails hands its place to the next who waits, to fail there.
    for (let attempts = max; ; attempts -= 1) {
      try {
        return await pool.connect();
      } catch (error) {
        if (!isLackOfConnections(error) || attempts === 0) throw error;
        // One of its own is worth waiting for: whoever came first is served first.
        if (open.size > 0) shrinkTo(open.size);
        else if (others.length > 0) await Promise.all(others.map((other) => other.yieldOne()));
        else throw error;
      }
    }
  }

  async function use<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await acquire();
    let failure: unknown;
    try {
      return await within(USE_LIMIT, client, () => work(client));
    } catch (error) {
      failure = error;
      throw error;
    } finally {
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
    reserve: () => use(async () => {}),
    yieldOne: async () => {
      if (open.size < 2) return;
      shrinkTo(open.size - 1);
      const spare = await pool.connect();
      spare.release(true);
    },
    close: async () => {
      clearTimeout(growing);
      const limit = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, CLOSE_LIMIT);
      await pool.end();
      await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve))));
      clearTimeout(limit);
    },
  };
}

/** A connection of its own, for who ends it. `settings` null: as the server and the role have them. */
export async function openClient(options: PostgresOptions, settings: Settings | null): Promise<Client> {
  const client = new PromptClient(configOf(options));
  listen(client, options);
  await client.connect();
  try {
    if (settings !== null) await set(client, options, settings);
    return client;
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** Milliseconds, after which the connection is cut: the statement rejects, and so does all that follows on it. */
async function within<T>(limit: number, client: { end(): unknown }, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => client.end(), limit);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

async function set(client: ClientBase, { searchPath }: PostgresOptions, settings: Settings): Promise<void> {
  const path = searchPath === null ? {} : { search_path: escapeIdentifier(searchPath) };
  const values = [JSON.stringify({ ...SESSION_SETTINGS, ...path, ...settings })];
  await inTime(() => client.query(withLimit(LIFT_LIMIT)));
  await client.query(withLimit(SET_SETTINGS, values));
}

/** Of the types of pg only this one's does not know that a query may have a limit of its own: hence not in the call. */
function withLimit(text: string, values?: unknown[]): QueryConfig & { query_timeout: number } {
  return { text, ...(values && { values }), query_timeout: CONNECT_LIMIT };
}

/** How often a statement is tried that the role's own `statement_timeout`, however short, may cut. */
const ATTEMPTS = 20;

/** Runs what takes next to no time until it was not cut by a `statement_timeout`. */
async function inTime<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (errorCode(error) !== "57014" || attempt === ATTEMPTS) throw error;
    }
  }
}

const BACKEND = "select pg_backend_pid() as pid";

/** Which of PostgreSQL's processes serves this client: its own as long as it lasts, unless it is a pooler's. */
export async function backendOf(client: ClientBase): Promise<number> {
  const { rows } = await inTime(() => client.query<{ pid: number }>(withLimit(BACKEND)));
  return rows[0]?.pid ?? 0;
}

/** In one go, because the role's own limits may not leave time for a second statement. What is local ends with the transaction. */
const HOLD = "begin; set local statement_timeout to 0; set local idle_in_transaction_session_timeout to 0";

/** The same in a transaction that stays open, so that a pooler gives that process to nobody else. */
export async function holdBackend(client: ClientBase): Promise<number> {
  return inTime(async () => {
    await client.query(withLimit(HOLD));
    try {
      const { rows } = await client.query<{ pid: number }>(withLimit(BACKEND));
      return rows[0]?.pid ?? 0;
    } catch (error) {
      await letGo(client);
      throw error;
    }
  });
}

export async function letGo(client: ClientBase): Promise<void> {
  await inTime(() => client.query(withLimit("rollback")));
}

function listen(client: Client, { onNotice }: PostgresOptions): void {
  client.on("notice", (notice) => onNotice?.(notice.message ?? ""));
  // Unheard, it would end the process. The statement it befell rejects with it; without one, the next statement rejects.
  client.on("error", () => {});
}

function configOf({ url }: PostgresOptions): ClientConfig {
  return {
    connectionString: url,
    application_name: "parley",
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_DELAY,
  };
}

/** Where it is, for a person to read, without a password. */
export function describePostgres(url: string): string {
  // `URL` refuses what has a user and no host, the way in which a folder with PostgreSQL's socket is often written.
  const [, authority = "", path = "", query = ""] = /:\/\/(?:[^/?#]*@)?([^/?#]*)([^?#]*)(\?[^#]*)?/.exec(url) ?? [];
  const host = new URLSearchParams(query).get("host") ?? authority.replace(/%2f/gi, "/");
  return `PostgreSQL at ${host}${path}`;
}
