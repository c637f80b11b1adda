/**
 * Two processes on one PGlite folder would destroy it, so the folder is held by a file with the holder's process id. A
 * holder that died (`kill -9`) leaves its file behind; it counts for nothing once no such process runs.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "./failures.ts";

/** Resolves with what gives the folder back; rejects when a running process holds it. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, "server.pid");
  for (;;) {
    try {
      await writeFile(path, `${process.pid}\n`, { flag: "wx" });
      return () => rm(path, { force: true });
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    }
    const holder = Number.parseInt(await readFile(path, "utf8"), 10);
    if (holder !== process.pid && isRunning(holder)) {
      throw new Error(`${folder} is in use by process ${holder}; stop it, or set another DATA_DIR`);
    }
    await rm(path, { force: true });
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}
