/** A server that is measured: a process of its own on the servers' core, whichever program it is. */
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { leaveWill } from "../../tests/support/last-will.ts";
import { onServerCore, type Pinning } from "./cores.ts";
import { parseLine } from "./output-lines.ts";
import { residentOf } from "./process-usage.ts";

export interface ServerUnderTest {
  readonly pid: number;
  readonly url: string;
  /** Resident memory in KiB after a collection, once it no longer changes. Rejects when it goes on changing. */
  settledMemory(): Promise<number>;
  /** Stops it in order. Resolves with what went wrong in it over its whole life, for a person to read. */
  end(): Promise<string[]>;
}

export interface ServerOptions {
  /** Below the folder that this was compiled to. */
  readonly script: string;
  readonly nodeFlags?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where it runs, and may leave what it likes. */
  readonly directory: string;
  readonly pinning: Pinning;
}

/** Milliseconds; a loaded machine takes a few seconds. */
const START_DEADLINE = 30_000;
/** Milliseconds after which a server that was told to stop is killed. */
const STOP_DEADLINE = 15_000;
/** Milliseconds between two looks at the memory. V8 and the allocator give pages back in the background. */
const MEMORY_INTERVAL = 250;
/** Looks that have to agree within `MEMORY_TOLERANCE`, a share. */
const MEMORY_LOOKS = 4;
const MEMORY_TOLERANCE = 0.005;
/** Milliseconds. */
const MEMORY_DEADLINE = 30_000;
/** Lines of its output that an error shows. */
const SHOWN_LINES = 20;

/** The folder that holds `bench/`, `server/` and the rest as they run. */
const COMPILED = new URL("../../", import.meta.url);
/**
 * The same for every server. Room for four times as many young objects as Node's default is how Parley is started
 * (`npm start`), and serves the others as well.
 */
const NODE_FLAGS = [
  "--max-semi-space-size=64",
  "--expose-gc",
  "--import",
  new URL("collect-on-signal.js", import.meta.url).href,
];

/** Resolves when the server listens; rejects with its last lines when it ends before or says nothing. */
export async function startServer(options: ServerOptions): Promise<ServerUnderTest> {
  const script = fileURLToPath(new URL(options.script, COMPILED));
  const { PATH = "", HOME = "", TMPDIR = "/tmp" } = process.env;
  const [executable = "", ...parameters] = onServerCore(options.pinning, [
    process.execPath,
    ...NODE_FLAGS,
    ...(options.nodeFlags ?? []),
    script,
  ]);
  const child = spawn(executable, parameters, {
    cwd: options.directory,
    // Nothing else: the settings of whoever runs this are not to reach one program and miss another.
    env: { PATH, HOME, TMPDIR, NODE_ENV: "production", ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (child.pid === undefined) throw (await once(child, "error"))[0];
  return new NodeServer(child, child.pid, script).listening();
}

type State = "starting" | "running" | "stopping" | "ended";

class NodeServer {
  readonly #child: ChildProcess;
  readonly pid: number;
  readonly #said = new EventEmitter<{ listening: [string]; collected: []; ended: [] }>();
  readonly #lastLines: string[] = [];
  readonly #faults: string[] = [];
  #state: State = "starting";

  constructor(child: ChildProcess, pid: number, script: string) {
    this.#child = child;
    this.pid = pid;
    // A process that has ended by then may have given its id to another: so only one of this command.
    const kill = 'case "$(ps -o args= -p "$1")" in *"$2"*) kill -KILL "$1";; esac';
    const will = leaveWill(["sh", "-c", kill, "sh", `${pid}`, script]);
    this.#read(child.stdout, false);
    this.#read(child.stderr, true);
    child.once("close", (code, signal) => {
      if (this.#state !== "stopping" || code !== 0) this.#fault(`the server ended with ${code ?? signal}`);
      this.#state = "ended";
      this.#said.emit("ended");
      will.execute().catch((error: unknown) => this.#fault(String(error)));
    });
  }

  async listening(): Promise<ServerUnderTest> {
    const url = await this.#expect("listening", START_DEADLINE);
    this.#state = "running";
    return { pid: this.pid, url, settledMemory: () => this.#settledMemory(), end: () => this.#end() };
  }

  #read(stream: NodeJS.ReadableStream | null, isErrors: boolean): void {
    if (stream === null) throw new Error("the server was started without pipes");
    createInterface({ input: stream }).on("line", (text) => {
      this.#lastLines.push(text);
      if (this.#lastLines.length > SHOWN_LINES) this.#lastLines.shift();
      const line = parseLine(text);
      if (line.kind === "listening") this.#said.emit("listening", line.url);
      if (line.kind === "collected") this.#said.emit("collected");
      if (line.kind === "error" || isErrors) this.#fault(text);
    });
  }

  #fault(text: string): void {
    if (this.#faults.length < SHOWN_LINES) this.#faults.push(text);
  }

  /** What it says next of this kind; rejects when it ends or says nothing before the deadline. */
  async #expect(kind: "listening", deadline: number): Promise<string>;
  async #expect(kind: "collected", deadline: number): Promise<undefined>;
  async #expect(kind: "listening" | "collected", deadline: number): Promise<string | undefined> {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      return await Promise.race([
        once(this.#said, kind, { signal }).then(([said]) => said as string | undefined),
        once(this.#said, "ended", { signal }).then(() => this.#fail("the server ended")),
        sleep(deadline, undefined, { signal }).then(() => this.#fail(`the server is not ${kind} in ${deadline} ms`)),
      ]);
    } catch (error) {
      this.#child.kill("SIGKILL");
      throw error;
    } finally {
      waiting.abort();
    }
  }

  #fail(what: string): never {
    throw new Error([`${what}:`, ...this.#lastLines].join("\n"));
  }

  async #settledMemory(): Promise<number> {
    const looks: number[] = [];
    const deadline = Date.now() + MEMORY_DEADLINE;
    for (;;) {
      this.#child.kill("SIGUSR2");
      await this.#expect("collected", START_DEADLINE);
      await sleep(MEMORY_INTERVAL);
      looks.push(residentOf(this.pid));
      const last = looks.slice(-MEMORY_LOOKS);
      const isSettled = Math.max(...last) - Math.min(...last) <= Math.max(...last) * MEMORY_TOLERANCE;
      if (last.length === MEMORY_LOOKS && isSettled) return Math.min(...last);
      if (Date.now() > deadline) throw new Error(`resident memory goes on changing: ${last.join(", ")} KiB`);
    }
  }

  async #end(): Promise<string[]> {
    if (this.#state === "running") {
      this.#state = "stopping";
      const ended = once(this.#said, "ended");
      this.#child.kill("SIGTERM");
      const killed = setTimeout(() => this.#child.kill("SIGKILL"), STOP_DEADLINE);
      await ended;
      clearTimeout(killed);
    }
    return this.#faults;
  }
}
