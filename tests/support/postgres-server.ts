/** A PostgreSQL of the test's own, from the binaries on this machine. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Client } from "pg";
import { freePort, prepareServerProcess, type ServerAccount } from "./server-process.ts";

export interface PostgresServer {
  /** Database `postgres`, user `postgres`, no password. */
  readonly url: string;
  /** The postmaster's, which changes with `restart`. Throws while the server is not running. */
  readonly pid: number;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
  /** As after a crash: connections are cut, and the next start recovers from the write-ahead log. The data stay. */
  kill(): Promise<void>;
  /** In order: connections are ended, and new ones refused until `restart`. */
  shutDown(): Promise<void>;
  /** Starts again, on the same data and port; a server that is running is shut down first. */
  restart(): Promise<void>;
}

export interface PostgresServerOptions {
  /** A folder with `initdb` and `postgres`; default: `postgresBinaries()`. */
  readonly binaries?: string;
  /** Whether a commit waits until it is on the disk; default: false, as the data of a test need not outlive the machine. */
  readonly fsync?: boolean;
}

/** Rejects with the server's log. */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const binaries = options.binaries ?? postgresBinaries();
  if (binaries === undefined) throw new Error("no PostgreSQL binaries (initdb, postgres) on this machine");
  const server = await prepareServerProcess("postgres", unprivilegedAccount());
  try {
    const port = await freePort();
    const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
    const data = join(server.directory, "data");
    const network = ["-h", "127.0.0.1", "-p", `${port}`, "-k", server.directory];
    const parameters = ["-D", data, ...network, ...(options.fsync === true ? [] : ["-F"])];
    const start = () => server.start(join(binaries, "postgres"), parameters, () => answers(url));
    // The C locale is there on every machine; without an encoding it would mean no encoding at all.
    const cluster = ["-D", data, "-U", "postgres", "-A", "trust", "--locale=C", "--encoding=UTF8", "--no-sync"];
    await server.run(join(binaries, "initdb"), cluster);
    await start();
    return {
      url,
      get pid() {
        return server.pid;
      },
      stop: () => server.remove(),
      // Not SIGKILL: it would leave the backends to end by themselves, in the way of a restart.
      kill: () => server.end("SIGQUIT"),
      shutDown: () => server.end("SIGINT"),
      restart: async () => {
        await server.end("SIGINT");
        await start();
      },
    };
  } catch (error) {
    await server.remove();
    throw error;
  }
}

export async function answers(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  // Unheard, a lost connection would end the process; the statement that needs it rejects.
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query("select 1");
  } finally {
    await client.end();
  }
}

/** The folder of `initdb` and `postgres`, the newest where there are several installed. */
export function postgresBinaries(): string | undefined {
  const folders = [...configuredFolder(), ...(process.env.PATH ?? "").split(delimiter), ...debianFolders()];
  return folders.find((folder) => ["initdb", "postgres"].every((name) => existsSync(join(folder, name))));
}

/** Where `pg_config` says; it may be there without a server beside it. */
function configuredFolder(): string[] {
  const folder = outputOf("pg_config", ["--bindir"]);
  return folder === null ? [] : [folder];
}

/** Debian keeps the server's binaries off the PATH, in a folder for each version. */
function debianFolders(): string[] {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(root, version, "bin"));
}

/** PostgreSQL refuses to run as root; null when this is not root. */
export function unprivilegedAccount(): ServerAccount | null {
  if (process.getuid?.() !== 0) return null;
  for (const name of ["postgres", "nobody"]) {
    const uid = outputOf("id", ["-u", name]);
    const gid = outputOf("id", ["-g", name]);
    if (uid !== null && gid !== null) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as");
}

/** What the command printed; null when it is not there or failed. */
function outputOf(command: string, parameters: readonly string[]): string | null {
  const { status, stdout } = spawnSync(command, parameters, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return status === 0 ? stdout.trim() : null;
}
