/** What Linux says in /proc of a process's CPU time and memory. Source: proc_pid_stat(5), proc_pid_status(5). */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** Clock ticks in user and kernel mode, of all its threads and of the children that it waited for. */
  readonly ticks: number;
}

/** @param text a `/proc/<pid>/stat` */
export function parseStat(text: string): ProcessStat {
  // The second field is the command in parentheses, and may itself have blanks and parentheses in it.
  const end = text.lastIndexOf(")");
  const fields = text.slice(end + 2).split(" ");
  // The first of them is the third field of the manual: 4 is the parent, 14 to 17 are utime, stime, cutime, cstime.
  const field = (number: number) => {
    const value = Number(fields[number - 3]);
    if (end === -1 || !Number.isInteger(value)) throw new Error(`not a /proc/<pid>/stat: ${text}`);
    return value;
  };
  const pid = Number.parseInt(text, 10);
  return { pid, parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) };
}

/** Ticks of these processes and all below them that are still there. */
export function ticksOfTrees(roots: readonly number[], processes: readonly ProcessStat[]): number {
  const counted = new Set<number>();
  const count = (pid: number): number => {
    if (counted.has(pid)) return 0;
    counted.add(pid);
    let ticks = 0;
    for (const stat of processes) {
      if (stat.pid === pid) ticks += stat.ticks;
      else if (stat.parent === pid) ticks += count(stat.pid);
    }
    return ticks;
  };
  return roots.reduce((sum, root) => sum + count(root), 0);
}

/**
 * What the process wrote itself, wherever it is kept: pages of its executable and libraries are left out, because the
 * system takes them back and fetches them again as it pleases.
 *
 * @param text a `/proc/<pid>/status`
 * @returns resident anonymous memory, and what of it is swapped out, in KiB
 */
export function parseResident(text: string): number {
  const [resident, swapped] = ["RssAnon", "VmSwap"].map(
    (name) => new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1],
  );
  if (resident === undefined) throw new Error("a /proc/<pid>/status without RssAnon: the process has ended");
  return Number(resident) + Number(swapped ?? 0);
}

/**
 * @param text /proc/stat
 * @returns ticks that all cores together were not idle, since the machine started
 */
export function parseMachineTicks(text: string): number {
  const fields = /^cpu +(.*)$/m.exec(text)?.[1]?.split(" ").map(Number);
  if (fields === undefined) throw new Error("a /proc/stat without a line of all cores");
  // What guests took, the last two, is in user and nice already.
  const [user = 0, nice = 0, system = 0, _idle, _iowait, irq = 0, softirq = 0, steal = 0] = fields;
  return user + nice + system + irq + softirq + steal;
}

/** CPU seconds up to a moment. One tick, 10 ms as a rule, is as fine as it gets: measure for seconds. */
export interface CpuSeconds {
  /** Of the processes that were asked for, and those below them. */
  readonly asked: number;
  /** Of all that is not this process nor below it. Time stolen from a virtual machine is part of it. */
  readonly strangers: number;
}

let ticksPerSecond: number | undefined;

export function cpuSecondsOf(pids: readonly number[]): CpuSeconds {
  ticksPerSecond ??= Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  const processes = runningProcesses();
  const strangers = parseMachineTicks(readFileSync("/proc/stat", "utf8")) - ticksOfTrees([process.pid], processes);
  return { asked: ticksOfTrees(pids, processes) / ticksPerSecond, strangers: strangers / ticksPerSecond };
}

/** Resident memory of the process in KiB. */
export function residentOf(pid: number): number {
  return parseResident(readFileSync(`/proc/${pid}/status`, "utf8"));
}

function runningProcesses(): ProcessStat[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
      } catch (error) {
        // It ended since the folder was read.
        if (isGone(error)) return [];
        throw error;
      }
    });
}

function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH");
}
