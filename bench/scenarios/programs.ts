/** The programs that are compared, each started in the same way: the same flags, the same core, what it stands on fresh. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Ground } from "../harness/scenario.ts";
import { type ServerUnderTest, startServer } from "../harness/server-under-test.ts";
import { type FreshDatabase, freshDatabase, type ServiceName } from "../harness/services.ts";
import type { Wire } from "../load/plan.ts";

export interface Program {
  readonly name: string;
  /** Below the folder of the compiled files. */
  readonly script: string;
  readonly wire: Wire;
  readonly needs: readonly ServiceName[];
  /** Beside the settings that all of them get. */
  readonly settings: Readonly<Record<string, string>>;
  /** Of Node, beside those that all of them get. */
  readonly nodeFlags?: readonly string[];
}

/** Parley holds nobody back here, as its peers do not. */
const UNLIMITED = {
  SEND_RATE: "2147483647",
  SEND_BURST: "2147483647",
  COMMAND_RATE: "2147483647",
  COMMAND_BURST: "2147483647",
};

export const PARLEY: Program = {
  name: "parley",
  script: "server/main.js",
  wire: "channels",
  needs: ["postgres", "redis"],
  settings: UNLIMITED,
};

/** For who has nothing but Node: PGlite in a folder, no Redis. */
export const PARLEY_EMBEDDED: Program = { ...PARLEY, needs: [] };

export const WS_BARE: Program = {
  name: "ws-bare",
  script: "bench/peers/ws-bare.js",
  wire: "channels",
  needs: [],
  settings: {},
};

export const WS_INSERT: Program = {
  name: "ws-insert",
  script: "bench/peers/ws-insert.js",
  wire: "channels",
  needs: ["postgres"],
  settings: {},
};

export const SOCKET_IO: Program = {
  name: "socket-io",
  script: "bench/peers/socket-io.js",
  wire: "socket.io",
  needs: ["postgres", "redis"],
  settings: {},
};

export const PGLITE_INSERT: Program = {
  name: "pglite-insert",
  script: "bench/peers/pglite-insert.js",
  wire: "channels",
  needs: [],
  settings: {},
};

/** Signs the HS256 tokens. */
export const SECRET = "a secret for the benchmark, of more than 32 bytes";

export interface RunningProgram {
  readonly servers: readonly ServerUnderTest[];
  readonly urls: readonly string[];
  readonly pids: readonly number[];
  /** Of its database; "" where it has none. */
  readonly databaseUrl: string;
  /** Of its Redis; "" where it has none. */
  readonly redisUrl: string;
}

export interface ProgramOptions {
  /** Servers on the same database and Redis. */
  readonly nodes: number;
  /** Fills the new database before the program sees it. */
  readonly prepare?: (databaseUrl: string) => Promise<void>;
}

/**
 * Starts the program on what is fresh, does the work, and takes everything down again. `faults` is for what goes wrong in
 * the servers. Rejects when the work does.
 */
export async function withProgram<T>(
  program: Program,
  { services, pinning, directory: parent }: Ground,
  faults: string[],
  work: (running: RunningProgram) => Promise<T>,
  options: ProgramOptions = { nodes: 1 },
): Promise<T> {
  const { postgres, redis } = services;
  let database: FreshDatabase | null = null;
  const directory = await mkdtemp(join(parent, `${program.name}-`));
  const servers: ServerUnderTest[] = [];
  try {
    if (program.needs.includes("postgres") && postgres.status === "available") {
      database = await freshDatabase(postgres.url);
      await options.prepare?.(database.url);
    }
    const redisUrl = program.needs.includes("redis") && redis.status === "available" ? redis.url : "";
    const environment = {
      HOST: "127.0.0.1",
      PORT: "0",
      JWT_SECRET: SECRET,
      CONNECT_RATE: "off",
      HTTP_RATE: "off",
      DATA_DIR: join(directory, "data"),
      REDIS_PREFIX: `parley_bench_${randomBytes(6).toString("hex")}:`,
      ...(database !== null && { DATABASE_URL: database.url }),
      ...(redisUrl !== "" && { REDIS_URL: redisUrl }),
      ...program.settings,
    };
    while (servers.length < options.nodes) {
      servers.push(await startServer({ ...program, environment, directory, pinning }));
    }
    return await work({
      servers,
      urls: servers.map((server) => server.url),
      pids: servers.map((server) => server.pid),
      databaseUrl: database?.url ?? "",
      redisUrl,
    });
  } finally {
    for (const server of servers) {
      faults.push(...(await server.end()).map((fault) => `${program.name}'s server: ${fault}`));
    }
    await database?.drop();
    await rm(directory, { recursive: true, force: true });
  }
}
