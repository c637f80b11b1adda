/** Peers as processes of their own, as the benchmark runs them, but for the compiling. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { afterEach } from "vitest";
import { leaveWill } from "../../support/last-will.ts";
import { SECRET } from "../../support/stack.ts";

export type PeerName = "ws-bare" | "ws-insert" | "socket-io" | "pglite-insert";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface PeerProcess {
  /** `http://host:port` */
  readonly http: string;
  /** `ws://host:port` */
  readonly sockets: string;
  /** What it wrote on standard error: nothing, as long as all is well. */
  readonly errors: readonly string[];
  /** Sends the signal and resolves when the process has ended. */
  end(signal: NodeJS.Signals): Promise<Exit>;
}

const running = new Set<() => Promise<Exit>>();

/** Resolves when it listens; rejects with its errors when it ends before. It is killed after the test, or with it. */
export function startPeer(name: PeerName, settings: Readonly<Record<string, string>> = {}): Promise<PeerProcess> {
  const script = `bench/peers/${name}.ts`;
  const { PATH = "", HOME = "", TMPDIR = "/tmp" } = process.env;
  const child = spawn(process.execPath, ["--import", "tsx", script], {
    env: { PATH, HOME, TMPDIR, NODE_ENV: "production", JWT_SECRET: SECRET, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // A process that has ended by then may have given its id to another: so only one of this command.
  const isOurs = 'case "$(ps -o args= -p "$1")" in *"$2"*) kill -KILL "$1";; esac';
  const will = leaveWill(["sh", "-c", isOurs, "sh", String(child.pid), script]);

  const errors: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  const kill = () => end("SIGKILL");
  running.add(kill);
  exited.finally(() => {
    running.delete(kill);
    return will.execute();
  });

  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", (line) => {
      const { listening: http } = JSON.parse(line) as { listening: string };
      resolve({ http, sockets: http.replace("http", "ws"), errors, end });
    });
    exited.then(
      ({ code, signal }) => reject(new Error(`${name} ended with ${code ?? signal}:\n${errors.join("\n")}`)),
      reject,
    );
  });
}

/** To be called once in a file of tests: nothing that it starts outlives the test. */
export function endPeersAfterEach(): void {
  afterEach(async () => {
    await Promise.all([...running].map((kill) => kill()));
  });
}
