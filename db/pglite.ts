/**
 * PGlite, PostgreSQL compiled into the process, kept on its feet. When its server gives up (PANIC: a full disk left no
 * room for its log) it must be asked nothing more: PGlite would send the next statement for ever, and nothing else in this
 * process would run. So it is left, everything rejects, and a new one is opened on the same folder as soon as that has
 * room; it recovers from the log what was committed.
 *
 * Source: PGlite 0.5, `execProtocolRawSync` in `src/pglite.ts`; PostgreSQL manual, 28 "Reliability and the Write-Ahead Log".
 */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { FolderLost } from "./folder-lock.ts";
import { SET_SETTINGS } from "./session-settings.ts";

export interface EmbeddedPostgresOptions {
  /** Null: in memory, gone with the process, and with its server. */
  readonly folder: string | null;
  /** Of each session. */
  readonly settings: Readonly<Record<string, string>>;
  /** Before each statement: rejects, for good, once the folder is another process's. Then nothing more is written to it. */
  readonly check: () => Promise<void>;
  /** Told when the server gave up, when a new one runs, and, once, why there is none yet. */
  readonly onNotice?: (message: string) => void;
}

export interface EmbeddedPostgres {
  /** What drizzle asks of a client. Both reject while there is no server, with what it ended with. */
  readonly client: Pick<PGlite, "query" | "transaction">;
  close(): Promise<void>;
}

type State =
  | { readonly name: "running"; readonly server: EmbeddedServer }
  | { readonly name: "ended"; readonly failure: unknown }
  | { readonly name: "closed" };

/** Milliseconds between two attempts to open it again. */
const RETRY = 1_000;
/** Bytes. A new server begins with a segment of its log, 16 MiB, and has a little to write besides. */
const ROOM = 20 * 1024 * 1024;

/** Rejects when there is no server to be had on this folder. The folder is the caller's alone. */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { folder, onNotice = () => {} } = options;
  let retry: NodeJS.Timeout | undefined;
  let opening: Promise<void> = Promise.resolve();
  let state: State = { name: "running", server: await startFirst(options, ended) };

  function ended(failure: unknown): void {
    if (state.name !== "running") return;
    const left = state.server;
    state = { name: "ended", failure };
    onNotice(`the embedded database gave up: ${messageOf(failure)}`);
    left.leave().catch((error: unknown) => onNotice(`it left files open: ${messageOf(error)}`));
    if (folder !== null && !(failure instanceof FolderLost)) retryIn(folder, "");
  }

  function retryIn(where: string, told: string): void {
    retry = setTimeout(() => {
      opening = reopen(where, told);
    }, RETRY);
  }

  async function reopen(where: string, told: string): Promise<void> {
    try {
      await findRoom(where);
      const server = await startServer(options, ended);
      if (state.name === "closed") return await server.close();
      state = { name: "running", server };
      onNotice("the embedded database is open again");
    } catch (error) {
      const obstacle = messageOf(error);
      if (obstacle !== told) onNotice(`the embedded database cannot be opened again yet: ${obstacle}`);
      if (state.name === "ended") retryIn(where, obstacle);
    }
  }

  function running(): EmbeddedServer {
    switch (state.name) {
      case "running":
        return state.server;
      case "ended":
        throw state.failure;
      case "closed":
        throw new Error("the embedded database is closed");
    }
  }

  return {
    client: {
      query: async (...statement) => running().query(...statement),
      transaction: async (work) => running().transaction(work),
    },
    close: async () => {
      clearTimeout(retry);
      const last = state;
      state = { name: "closed" };
      if (last.name === "running") await last.server.close();
      await opening;
    },
  };
}

/** Rejects with what the file system says, where that is why: PGlite does not say that the disk is full. */
async function startFirst(
  options: EmbeddedPostgresOptions,
  ended: (failure: unknown) => void,
): Promise<EmbeddedServer> {
  try {
    return await startServer(options, ended);
  } catch (error) {
    if (options.folder !== null) await findRoom(options.folder);
    throw error;
  }
}

async function startServer(
  { folder, settings, check }: EmbeddedPostgresOptions,
  ended: (failure: unknown) => void,
): Promise<EmbeddedServer> {
  const server = new EmbeddedServer(folder === null ? undefined : join(folder, "pglite"));
  try {
    await server.waitReady;
    await server.query(SET_SETTINGS, [JSON.stringify(settings)]);
  } catch (error) {
    // Of what it was stopped by: it may not have come as far as opening a file.
    await server.leave().catch(() => {});
    throw error;
  }
  server.onEnded = ended;
  server.check = check;
  return server;
}

/** One server, from its start to its end. */
class EmbeddedServer extends PGlite {
  onEnded: (failure: unknown) => void = () => {};
  check: () => Promise<void> = async () => {};
  #failure: unknown = null;

  /** All statements come through here. */
  override async execProtocolStream(
    ...message: Parameters<PGlite["execProtocolStream"]>
  ): ReturnType<PGlite["execProtocolStream"]> {
    if (this.#failure !== null) throw this.#failure;
    try {
      await this.check();
      return await super.execProtocolStream(...message);
    } catch (error) {
      if (isEnd(error)) {
        this.#failure = error;
        this.onEnded(error);
      }
      throw error;
    }
  }

  /** Gives back its files, of a server that has ended. */
  async leave(): Promise<void> {
    await this.fs?.closeFs();
  }
}

/** The server is gone with it. */
function isEnd(error: unknown): boolean {
  if (error instanceof FolderLost) return true;
  return error instanceof Error && "severity" in error && (error.severity === "PANIC" || error.severity === "FATAL");
}

/** Rejects while there is none. Tried out, because what a file system says of its room leaves out quotas. */
async function findRoom(folder: string): Promise<void> {
  const path = join(folder, "pglite.room");
  try {
    await writeFile(path, Buffer.alloc(ROOM));
  } finally {
    await rm(path, { force: true });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
