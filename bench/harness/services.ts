/** PostgreSQL and Redis for the benchmark: of its own where the binaries are there, else what the environment names. */
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { Client } from "pg";
import { createDatabase, dropDatabase, obstacleToDatabases } from "../../tests/support/databases.ts";
import { leaveWill } from "../../tests/support/last-will.ts";
import { postgresBinaries, startPostgres } from "../../tests/support/postgres-server.ts";
import { redisServerBinary, startRedisServer } from "../../tests/support/redis-server.ts";

export type ServiceName = "postgres" | "redis";

export type Service =
  | { readonly status: "available"; readonly url: string; readonly version: string; readonly isOwn: boolean }
  /** `reason` is for a person to read. */
  | { readonly status: "missing"; readonly reason: string };

export type Services = Readonly<Record<ServiceName, Service>> & {
  /** Ends what was started. */
  release(): Promise<void>;
};

/** Begins the names of this run's databases. */
const DATABASE_PREFIX = `parley_bench_${randomBytes(4).toString("hex")}_`;

export interface FreshDatabase {
  readonly url: string;
  /** Cuts the connections to it. */
  drop(): Promise<void>;
}

interface Found {
  readonly service: Service;
  release(): Promise<void>;
}

export async function findServices(environment: NodeJS.ProcessEnv): Promise<Services> {
  const [postgres, redis] = await Promise.all([
    findPostgres(environment.DATABASE_URL),
    findRedis(environment.REDIS_URL),
  ]);
  return {
    postgres: postgres.service,
    redis: redis.service,
    release: async () => {
      await Promise.all([postgres.release(), redis.release()]);
    },
  };
}

/** Commits reach the disk before they are acknowledged: what is compared are durable messages. */
async function findPostgres(givenUrl: string | undefined): Promise<Found> {
  if (postgresBinaries() !== undefined) {
    return attempt("a PostgreSQL for this run", async () => {
      const server = await startPostgres({ fsync: true });
      return { service: serviceAt(server.url, await postgresVersion(server.url), true), release: () => server.stop() };
    });
  }
  if (!givenUrl) return missing("no PostgreSQL binaries (initdb, postgres) on this machine, and no DATABASE_URL");
  return attempt("PostgreSQL at DATABASE_URL", async () => {
    const url = new URL(givenUrl);
    // A parameter of Parley's own, which PostgreSQL would refuse.
    url.searchParams.delete("schema");
    const obstacle = await obstacleToDatabases(url.href);
    if (obstacle !== "") throw new Error(obstacle);
    const version = await postgresVersion(url.href);
    // Own servers go with all that is in them; here an interrupted run would leave its database behind.
    const script = fileURLToPath(new URL("drop-databases.js", import.meta.url));
    const will = leaveWill([process.execPath, script], { DATABASE_URL: url.href, DATABASE_PREFIX });
    return { service: serviceAt(url.href, version, false), release: () => will.execute() };
  });
}

async function findRedis(givenUrl: string | undefined): Promise<Found> {
  if (redisServerBinary() !== undefined) {
    return attempt("a Redis for this run", async () => {
      const server = await startRedisServer();
      return { service: serviceAt(server.url, await redisVersion(server.url), true), release: () => server.stop() };
    });
  }
  if (!givenUrl) return missing("no redis-server on this machine, and no REDIS_URL");
  return attempt("Redis at REDIS_URL", async () => {
    return { service: serviceAt(givenUrl, await redisVersion(givenUrl), false), release: async () => {} };
  });
}

async function attempt(what: string, find: () => Promise<Found>): Promise<Found> {
  try {
    return await find();
  } catch (error) {
    return missing(`${what}: ${error instanceof Error ? error.message || error : error}`);
  }
}

function serviceAt(url: string, version: string, isOwn: boolean): Service {
  return { status: "available", url, version, isOwn };
}

function missing(reason: string): Found {
  return { service: { status: "missing", reason }, release: async () => {} };
}

/** An empty database beside the one that `url` names. */
export async function freshDatabase(url: string): Promise<FreshDatabase> {
  const name = `${DATABASE_PREFIX}${randomBytes(4).toString("hex")}`;
  await createDatabase(url, name);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { url: own.href, drop: () => dropDatabase(url, name) };
}

/** One row of one statement. */
export async function queryRow(url: string, statement: string): Promise<Record<string, unknown>> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // Unheard, a lost connection would end the process; the statement that needs it rejects.
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(statement)).rows[0] ?? {};
  } finally {
    await client.end();
  }
}

async function postgresVersion(url: string): Promise<string> {
  const { version, fsync } = await queryRow(
    url,
    "select current_setting('server_version') as version, current_setting('fsync') as fsync",
  );
  return `${version}, fsync ${fsync}`;
}

/** A section of Redis's INFO. */
export async function redisInfo(url: string, section: string): Promise<string> {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: 5_000, retryStrategy: () => null });
  // `connect` rejects as well; without a listener ioredis would print each attempt.
  redis.on("error", () => {});
  try {
    await redis.connect();
    return await redis.info(section);
  } finally {
    redis.disconnect();
  }
}

async function redisVersion(url: string): Promise<string> {
  return /^redis_version:(\S+)/m.exec(await redisInfo(url, "server"))?.[1] ?? "of unknown version";
}
