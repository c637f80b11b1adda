/** How many sockets a process may hold. */
import { readFileSync } from "node:fs";

/** For what else a process has open. */
const SPARED = 1_000;

/**
 * @param text a `/proc/<pid>/limits`
 * @returns the hard limit of open files, up to which Node raises its own when it starts
 */
export function parseOpenFilesLimit(text: string): number {
  const hard = /^Max open files +\S+ +(\d+|unlimited) /m.exec(text)?.[1];
  if (hard === undefined) throw new Error("a /proc/<pid>/limits without a line of open files");
  return hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}

/** Sockets that a process started from here may hold, with some files to spare. */
export function mostSockets(): number {
  return parseOpenFilesLimit(readFileSync("/proc/self/limits", "utf8")) - SPARED;
}
