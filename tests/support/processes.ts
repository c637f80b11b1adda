/** Servers as processes of their own: what can be shown of starting, stopping and dying in no other way. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { afterEach } from "vitest";
import { leaveWill } from "./last-will.ts";
import { SECRET } from "./stack.ts";
import { UNLIMITED } from "./unlimited.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** The messages of its log so far; what is no JSON, as it came. Standard error among them. */
  readonly lines: readonly string[];
  /** The same as it came, with every field. */
  readonly output: readonly string[];
  readonly exited: Promise<Exit>;
  /** `http://host:port`, when it listens. Rejects with its log when it ends before. */
  readonly address: Promise<string>;
  /** Sends the signal and resolves when the process has ended. */
  end(signal: NodeJS.Signals): Promise<Exit>;
}

const running = new Set<ServerProcess>();

/**
 * Starts `server/main.ts` with these settings and no others. It is killed after the test, or with it. `preloaded`: modules
 * that the process loads first.
 */
export function startProcess(
  settings: Readonly<Record<string, string>>,
  { preloaded = [] }: { preloaded?: readonly string[] } = {},
): ServerProcess {
  const { PATH = "", HOME = "", TMPDIR = "/tmp" } = process.env;
  const child = spawn(
    process.execPath,
    [...["tsx", ...preloaded].flatMap((module) => ["--import", module]), "server/main.ts"],
    {
      env: { PATH, HOME, TMPDIR, NODE_ENV: "test", JWT_SECRET: SECRET, PORT: "0", ...UNLIMITED, ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  // A process that has ended by then may have given its id to another: so only one of this command.
  const { pid } = child;
  const isOurs = 'case "$(ps -o args= -p "$1")" in *server/main.ts*) kill -KILL "$1";; esac';
  const will = pid === undefined ? null : leaveWill(["sh", "-c", isOurs, "sh", String(pid)]);

  const lines: string[] = [];
  const output: string[] = [];
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  const address = addressOf(child, { lines, output }, exited);
  // Whoever waits for the end alone is told of it by `exited`.
  address.catch(() => {});
  const server: ServerProcess = {
    pid,
    lines,
    output,
    exited,
    address,
    end: (signal) => {
      child.kill(signal);
      return exited;
    },
  };
  running.add(server);
  exited.finally(() => {
    running.delete(server);
    return will?.execute();
  });
  return server;
}

/** To be called once in a file of tests: nothing that it starts outlives the test. */
export function endProcessesAfterEach(): void {
  afterEach(async () => {
    await Promise.all([...running].map((server) => server.end("SIGKILL")));
  });
}

function addressOf(
  child: ChildProcess,
  { lines, output }: { lines: string[]; output: string[] },
  exited: Promise<Exit>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) throw new Error("the process was started without pipes");
      createInterface({ input: stream }).on("line", (line) => {
        output.push(line);
        const message = messageOf(line);
        lines.push(message);
        const address = /^listening on (http:\S+)$/.exec(message)?.[1];
        if (address !== undefined) resolve(address);
      });
    }
    exited.then(({ code, signal }) =>
      reject(new Error(`the server ended with ${code ?? signal} before it listened:\n${lines.join("\n")}`)),
    );
  });
}

/** A log line's message, with that of its error. */
function messageOf(line: string): string {
  if (!line.startsWith("{")) return line;
  const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
  return [msg, err?.message].filter((part) => part !== undefined).join(": ");
}
