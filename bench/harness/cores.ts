/** Which cores the servers under test run on, and which everything else does. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Lists of cores as `taskset -c` takes them. */
export interface Division {
  readonly server: string;
  readonly others: string;
}

export type Pinning =
  | ({ readonly status: "pinned" } & Division)
  /** Servers, load, PostgreSQL and Redis take each other's time: figures are rougher. */
  | { readonly status: "unpinned"; readonly reason: string };

/** @param list as in /proc/self/status: `0-3,8` */
export function parseCoreList(list: string): number[] {
  return list.split(",").flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split("-").map(Number);
    if (!Number.isInteger(first) || !Number.isInteger(last)) throw new Error(`not a list of cores: ${list}`);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** The first core for the servers under test, the others for the rest; null when there is but one. */
export function divideCores(cores: readonly number[]): Division | null {
  const [server, ...others] = cores;
  return server === undefined || others.length === 0 ? null : { server: `${server}`, others: others.join(",") };
}

/** Moves this process, and with it all that it starts from now on, off the core of the servers. */
export function pinThisProcess(): Pinning {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  const division = divideCores(parseCoreList(allowed));
  if (division === null) return { status: "unpinned", reason: "there is one core only" };
  try {
    // All of its threads: those of the pool are there already.
    execFileSync("taskset", ["-a", "-c", "-p", division.others, `${process.pid}`], { stdio: "pipe" });
  } catch (error) {
    return { status: "unpinned", reason: `taskset: ${error instanceof Error ? error.message.trim() : error}` };
  }
  return { status: "pinned", ...division };
}

/** The command that runs `command` on the servers' core. */
export function onServerCore(pinning: Pinning, command: readonly string[]): readonly string[] {
  return pinning.status === "pinned" ? ["taskset", "-c", pinning.server, ...command] : command;
}
