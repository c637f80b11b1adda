import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { prepareDataFolder } from "../../db/data-folder.ts";
import { answering } from "../../db/failures.ts";
import { type FolderLock, FolderLost, lockFolder } from "../../db/folder-lock.ts";
import { CannotStart, StorageUnavailable } from "../../server/core/errors.ts";

let folder: string;
let locks: FolderLock[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-test-lock-"));
  locks = [];
});
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(locks.map((lock) => lock.release().catch(() => {})));
  await rm(folder, { recursive: true, force: true });
});

async function lock(onWait?: (message: string) => void): Promise<FolderLock> {
  const held = await lockFolder(folder, onWait);
  locks.push(held);
  return held;
}

/** A lock of another machine's, which has no socket to ask. */
async function writeForeignLock(number: number, beat: number): Promise<void> {
  const holder = { process: 1, host: "elsewhere", kernel: "another", mount: "1", socket: null, beat, released: false };
  await writeFile(join(folder, `server.lock.${number}`), JSON.stringify(holder));
}

/** A process that holds the folder until it is killed. */
async function startHolder() {
  const script = `import { lockFolder } from "./db/folder-lock.ts";
    await lockFolder(${JSON.stringify(folder)}); console.log("held"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

describe("the lock of a folder", () => {
  test("is one holder's, within one process too, until it is released", async () => {
    const first = await lock();
    await expect(lock()).rejects.toThrow(/is in use by process \d+; stop it, or set another DATA_DIR/);
    await expect(lock()).rejects.toBeInstanceOf(CannotStart);
    await first.release();
    await (await lock()).check();
  });

  test("of a process that was killed is free at once, and one that is only stopped holds it", async () => {
    const child = await startHolder();
    const told: string[] = [];
    child.kill("SIGSTOP");
    await expect(lock((message) => told.push(message))).rejects.toBeInstanceOf(CannotStart);
    child.kill("SIGKILL");
    await once(child, "exit");
    await lock((message) => told.push(message));
    expect(told).toEqual([]);
  });

  test("is taken by one of many who come at the same moment, on a new folder and on a dead one's", async () => {
    for (const number of [0, 1]) {
      if (number === 1) {
        const child = await startHolder();
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => lock()));
      const held = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
      expect(held).toHaveLength(1);
      await held[0]?.release();
    }
    // What is left of all of them is the newest lock.
    expect(await readdir(folder)).toEqual([expect.stringMatching(/^server\.lock\.\d+$/)]);
  });

  test("of a machine that cannot be asked holds while its beats go on", async () => {
    await writeForeignLock(7, 0);
    let refused: Promise<void> = Promise.resolve();
    const told = await new Promise<string>((resolve) => {
      refused = expect(lock(resolve)).rejects.toThrow("is in use by process 1 of elsewhere");
    });
    expect(told).toMatch(/was held by process 1 of elsewhere, .* waiting 10 s for a sign of it$/);
    await writeForeignLock(7, 1);
    await refused;
  });

  test("of a machine that went without a word is free after 10 s", { timeout: 40_000 }, async () => {
    await writeForeignLock(7, 0);
    const told: string[] = [];
    await (await lock((message) => told.push(message))).check();
    expect(told).toHaveLength(1);
    expect(await readdir(folder)).toContain("server.lock.8");
  });

  test("that another one has taken is known before the next statement: unavailable, and nothing is stored", async () => {
    const held = await lock();
    await held.check();
    await writeForeignLock(2, 0);
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 6_000);
    await expect(held.check()).rejects.toBeInstanceOf(FolderLost);
    await expect(answering(() => held.check())).rejects.toBeInstanceOf(StorageUnavailable);
    await held.release();
    expect(await readdir(folder)).toContain("server.lock.2");
  });
});

describe.skipIf(process.platform === "win32")("the data folder", () => {
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

  test("and its parents are made for this account alone", async () => {
    const data = join(folder, "new", "data");
    await prepareDataFolder(data);
    for (const path of [join(folder, "new"), data, join(data, "pglite")]) expect(await modeOf(path)).toBe("700");
  });

  test("that others may enter is closed to them", async () => {
    const data = join(folder, "data");
    await mkdir(join(data, "pglite"), { recursive: true });
    for (const path of [data, join(data, "pglite")]) await chmod(path, 0o755);
    await prepareDataFolder(data);
    for (const path of [data, join(data, "pglite")]) expect(await modeOf(path)).toBe("700");
  });

  test("that holds other things is left as it is, and the database's inside is closed", async () => {
    await writeFile(join(folder, "notes.txt"), "");
    await chmod(folder, 0o755);
    await prepareDataFolder(folder);
    expect(await modeOf(folder)).toBe("755");
    expect(await modeOf(join(folder, "pglite"))).toBe("700");
  });
});
