/**
 * PostgreSQL and Redis for one test run: the user's own, where the environment names them, else throwaway servers from
 * the binaries on this machine.
 */
import { Redis } from "ioredis";
import { obstacleToDatabases } from "./databases.ts";
import { leaveWill } from "./last-will.ts";
import { postgresBinaries, startPostgres } from "./postgres-server.ts";
import { redisServerBinary, startRedisServer } from "./redis-server.ts";

/** What the tests are told of a service. `reason` is for a person to read. */
export type Service =
  | { readonly status: "available"; readonly url: string }
  | { readonly status: "missing"; readonly reason: string };

/** A service, and what is to be done with it after the run. */
export interface FoundService {
  readonly service: Service;
  release(): Promise<void>;
}

/** Milliseconds that the user's Redis may take to answer. */
const ANSWER_DEADLINE = 5_000;

/** `databasePrefix`: what the names of the databases begin with that the run makes there. */
export async function findPostgres(givenUrl: string | undefined, databasePrefix: string): Promise<FoundService> {
  if (givenUrl) {
    return attempt("PostgreSQL at DATABASE_URL", async () => {
      const url = withoutSchema(givenUrl);
      const obstacle = await obstacleToDatabases(url);
      if (obstacle !== "") throw new Error(obstacle);
      const script = new URL("drop-databases.ts", import.meta.url).pathname;
      const will = leaveWill([process.execPath, "--import", "tsx", script], {
        DATABASE_URL: url,
        DATABASE_PREFIX: databasePrefix,
      });
      return available(url, () => will.execute());
    });
  }
  if (postgresBinaries() === undefined) {
    return missing("no DATABASE_URL, and no PostgreSQL binaries (initdb, postgres) on this machine");
  }
  return attempt("a PostgreSQL for this run", async () => {
    const server = await startPostgres();
    return available(server.url, () => server.stop());
  });
}

export async function findRedis(givenUrl: string | undefined): Promise<FoundService> {
  if (givenUrl) {
    return attempt("Redis at REDIS_URL", async () => {
      await pingRedis(givenUrl);
      return available(givenUrl, async () => {});
    });
  }
  if (redisServerBinary() === undefined) return missing("no REDIS_URL, and no redis-server on this machine");
  return attempt("a Redis for this run", async () => {
    const server = await startRedisServer();
    return available(server.url, () => server.stop());
  });
}

async function attempt(what: string, find: () => Promise<FoundService>): Promise<FoundService> {
  try {
    return await find();
  } catch (error) {
    return missing(`${what}: ${describe(error)}`);
  }
}

function available(url: string, release: () => Promise<void>): FoundService {
  return { service: { status: "available", url }, release };
}

function missing(reason: string): FoundService {
  return { service: { status: "missing", reason }, release: async () => {} };
}

/** `schema` is this project's own parameter: PostgreSQL would refuse it, and a database of the tests has no need of it. */
function withoutSchema(url: string): string {
  const parsed = new URL(url);
  parsed.searchParams.delete("schema");
  return parsed.href;
}

async function pingRedis(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: ANSWER_DEADLINE,
    commandTimeout: ANSWER_DEADLINE,
    retryStrategy: () => null,
  });
  // `connect` rejects with no more than that the connection is closed; the cause comes as an event.
  let cause: unknown;
  redis.on("error", (error) => {
    cause = error;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw cause ?? error;
  } finally {
    redis.disconnect();
  }
}

/** Node's error for a name with several addresses has no message of its own, only one for each of them. */
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(describe).join(", ");
  return error instanceof Error ? error.message : String(error);
}
