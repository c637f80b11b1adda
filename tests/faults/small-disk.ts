/** A disk that a test can fill: a file system of its own in memory, which only root may mount. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leaveWill } from "../support/last-will.ts";

export interface SmallDisk {
  readonly directory: string;
  /** Leaves so many bytes free. */
  fill(free: number): void;
  /** Takes back what `fill` took. */
  empty(): void;
  /** Removes it with all that is on it. */
  remove(): Promise<void>;
}

/** Also while somebody has a file open on it: what is left of it goes with the last of them. */
const UNMOUNT = 'umount -l "$1"; rmdir "$1"';

/** `size` in MiB. Throws where nothing may be mounted. */
export function mountSmallDisk(size: number): SmallDisk {
  const directory = mkdtempSync(join(tmpdir(), "parley-test-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}m`, "tmpfs", directory], { stdio: "pipe" });
  } catch (error) {
    rmSync(directory, { recursive: true });
    throw error;
  }
  const will = leaveWill(["sh", "-c", UNMOUNT, "sh", directory]);
  const filler = join(directory, "filler");
  return {
    directory,
    fill: (free) => {
      const { bavail, bsize } = statfsSync(directory);
      writeFileSync(filler, Buffer.alloc(bavail * bsize - free));
    },
    empty: () => rmSync(filler),
    remove: () => will.execute(),
  };
}

/** Why there can be none; "" when there can. */
export async function obstacleToSmallDisks(): Promise<string> {
  try {
    await mountSmallDisk(1).remove();
    return "";
  } catch (error) {
    return `a file system cannot be mounted: ${error instanceof Error ? error.message.trim() : error}`;
  }
}
