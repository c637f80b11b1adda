/**
 * A server for tests: a process and the folder it keeps its things in. Neither outlives the process that made them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, rmSync } from "node:fs";
import { chown, mkdtemp, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { leaveWill } from "./last-will.ts";

export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

export interface ServerProcess {
  /** Its folder in the temporary directory, readable by its account alone. */
  readonly directory: string;
  /** Throws while the server is not running. */
  readonly pid: number;
  /** Runs a command to its end, as the server's account. Rejects with what it printed. */
  run(executable: string, parameters: readonly string[]): Promise<void>;
  /** Resolves with `answers`, which is asked until it does. Rejects with the server's log when the server ends first. */
  start(executable: string, parameters: readonly string[], answers: () => Promise<void>): Promise<void>;
  /** Resolves when the process has ended; at once when there is none. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Ends the process, if there is one, and removes the folder. */
  remove(): Promise<void>;
}

/** Milliseconds; a loaded machine takes one or two seconds. */
const START_DEADLINE = 30_000;
/** Milliseconds. */
const POLL_INTERVAL = 25;

/**
 * SIGINT is the quick but orderly stop of both PostgreSQL and Redis; SIGCONT, because a test may have left it paused.
 * What has not ended within 5 seconds is killed.
 */
const REMOVE = `
if pid=$(cat "$1/pid" 2>/dev/null); then
  kill -INT "$pid"; kill -CONT "$pid"
  polls=0
  while kill -0 "$pid" && [ "$polls" -lt 100 ]; do sleep 0.05; polls=$((polls + 1)); done
  kill -KILL "$pid"
fi
rm -rf "$1"`;

interface Ending {
  readonly successful: boolean;
  readonly description: string;
}

type State =
  | { readonly status: "stopped" }
  | { readonly status: "running"; readonly child: ChildProcess; readonly pid: number; readonly ended: Promise<Ending> };

/** `account`: whom the process runs as; null for whoever runs the tests. */
export async function prepareServerProcess(name: string, account: ServerAccount | null): Promise<ServerProcess> {
  const directory = await mkdtemp(join(tmpdir(), `parley-test-${name}-`));
  const will = leaveWill(["sh", "-c", REMOVE, "sh", directory]);
  if (account !== null) await chown(directory, account.uid, account.gid);
  const pidFile = join(directory, "pid");
  const logFile = join(directory, "log");
  let state: State = { status: "stopped" };

  /** The shell leaves its process id for the will and becomes the server: there is no moment between the two. */
  const launch = (executable: string, parameters: readonly string[]) => {
    const log = openSync(logFile, "a");
    const child = spawn("sh", ["-c", 'echo $$ > "$0" && exec "$@"', pidFile, executable, ...parameters], {
      cwd: directory,
      detached: true,
      env: { ...process.env, LC_ALL: "C" },
      stdio: ["ignore", log, log],
      ...(account ?? {}),
    });
    closeSync(log);
    const ended = new Promise<Ending>((resolve) => {
      const end = (ending: Ending) => {
        rmSync(pidFile, { force: true });
        state = { status: "stopped" };
        resolve(ending);
      };
      child.once("error", (error) => end({ successful: false, description: error.message }));
      child.once("exit", (code, signal) =>
        end({ successful: code === 0, description: code === null ? `${signal}` : `exit code ${code}` }),
      );
    });
    return { child, ended };
  };

  const failure = async (what: string, cause?: unknown) =>
    new Error(`${what}\n${(await readFile(logFile, "utf8")).trim()}`.trim(), { cause });

  return {
    directory,
    get pid() {
      if (state.status === "stopped") throw new Error(`${name} is not running`);
      return state.pid;
    },

    run: async (executable, parameters) => {
      const ending = await launch(executable, parameters).ended;
      if (!ending.successful) throw await failure(`${executable} failed with ${ending.description}:`);
    },

    start: async (executable, parameters, answers) => {
      const { child, ended } = launch(executable, parameters);
      if (child.pid !== undefined) state = { status: "running", child, pid: child.pid, ended };
      const deadline = Date.now() + START_DEADLINE;
      for (;;) {
        const answer = await Promise.race([
          ended.then((ending) => ({ status: "ended", ending }) as const),
          answers().then(
            () => ({ status: "ready" }) as const,
            (cause: unknown) => ({ status: "silent", cause }) as const,
          ),
        ]);
        switch (answer.status) {
          case "ready":
            return;
          case "ended":
            throw await failure(`${executable} ended with ${answer.ending.description} before it answered:`);
          case "silent":
            if (Date.now() > deadline) throw await failure(`${executable} did not answer in time:`, answer.cause);
        }
        await sleep(POLL_INTERVAL);
      }
    },

    end: async (signal) => {
      if (state.status === "stopped") return;
      state.child.kill(signal);
      await state.ended;
    },

    remove: () => will.execute(),
  };
}

/** A port of 127.0.0.1 that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === "string") reject(new Error("the system gave no port"));
        else resolve(address.port);
      });
    });
  });
}
