/**
 * Two servers on one PGlite folder would destroy it, so a server holds it by a lock that others can judge wherever they run:
 * beside it, in a container of their own with the same volume, on another machine with the same file system.
 *
 * The lock is a file `server.lock.<n>`: whoever creates the next number has the folder, and creation is what a file system
 * lets only one do. A number is never used again and the newest file stays, so nobody who looked too long ago can take what
 * is held since. Whether its holder lives is told by two things. It listens on a Unix socket in the folder, which the kernel
 * closes with the process, however that ends, and which is there for everybody on the same mount, whatever their process
 * ids mean. And it counts up in the file, for those who cannot see its socket: on another kernel, or where file systems
 * have none.
 */
import { randomUUID } from "node:crypto";
import { open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CannotStart } from "../server/core/errors.ts";
import { errorCode } from "./failures.ts";
import { isListening, listenIn } from "./folder-socket.ts";

export interface FolderLock {
  /**
   * Resolves while the folder is this process's; rejects for good once somebody else has taken it, which is possible when
   * this process was held for longer than the others wait.
   */
  check(): Promise<void>;
  release(): Promise<void>;
}

/** Milliseconds between two beats, and without a beat until a holder that cannot be asked counts as gone. */
const BEAT = 2_000;
const SILENCE = 10_000;
const POLL = 250;

const LOCK_NAME = /^server\.lock\.(\d{1,15})$/;

/** What a holder writes down of itself. */
interface Holder {
  readonly process: number;
  readonly host: string;
  /** The kernel it runs on, and the mount the folder is on there: with both the same, its socket can be judged. */
  readonly kernel: string | null;
  readonly mount: string;
  /** Null: there is none, and only the beats tell. */
  readonly socket: string | null;
  readonly beat: number;
  readonly released: boolean;
}

/** The newest lock there is. `holder` null: not written yet, or damaged. */
interface Found {
  readonly number: number;
  readonly text: string;
  readonly holder: Holder | null;
}

/** Its folder has been taken by another process. Nothing may be stored in it any more. */
export class FolderLost extends Error {
  override readonly name = "FolderLost";
  readonly code = "EFOLDERLOST";
}

/**
 * `onWait`: told, before it is waited for, that a holder which cannot be asked may still be there.
 *
 * @throws CannotStart when a running process holds the folder
 */
export async function lockFolder(folder: string, onWait: (message: string) => void = () => {}): Promise<FolderLock> {
  const here = { kernel: await kernelId(), mount: `${(await stat(folder)).dev}` };
  for (;;) {
    const found = await newest(folder);
    if (found !== null && !(await isGone(folder, found, here, onWait))) continue;
    const lock = await take(folder, (found?.number ?? 0) + 1, here);
    if (lock !== null) return lock;
  }
}

/** False: it is not what it was, and has to be looked at again. */
async function isGone(
  folder: string,
  found: Found,
  here: Pick<Holder, "kernel" | "mount">,
  onWait: (message: string) => void,
): Promise<boolean> {
  const { holder } = found;
  if (holder?.released === true) return true;
  if (holder !== null && holder.socket !== null) {
    const answer = await isListening(folder, holder.socket);
    if (answer === "yes") throw inUse(folder, holder);
    const isSameMount = here.kernel !== null && here.kernel === holder.kernel && here.mount === holder.mount;
    if (answer === "no" && isSameMount) return true;
  }
  const who = holder === null ? "a process" : describe(holder);
  onWait(`${folder} was held by ${who}, which cannot be asked; waiting ${SILENCE / 1_000} s for a sign of it`);
  for (const end = performance.now() + SILENCE; performance.now() < end; ) {
    await sleep(POLL);
    const now = await newest(folder);
    if (now?.number !== found.number || now.text === "" || now.text === found.text) continue;
    if (now.holder !== null && found.holder !== null && !now.holder.released) throw inUse(folder, now.holder);
    return false;
  }
  return (await newest(folder))?.number === found.number;
}

function inUse(folder: string, holder: Holder): CannotStart {
  return new CannotStart(`${folder} is in use by ${describe(holder)}; stop it, or set another DATA_DIR`);
}

function describe({ process: pid, host }: Holder): string {
  return `process ${pid}${host === hostname() ? "" : ` of ${host}`}`;
}

/** Null: another process was first. */
async function take(
  folder: string,
  number: number,
  here: Pick<Holder, "kernel" | "mount">,
): Promise<FolderLock | null> {
  // Listens before there is a lock to be judged by it.
  const socket = await listenIn(folder, `server.${randomUUID().slice(0, 8)}.sock`);
  const path = join(folder, `server.lock.${number}`);
  const self = { process: process.pid, host: hostname(), ...here, socket: socket?.name ?? null };
  const textOf = (beat: number, released = false) => `${JSON.stringify({ ...self, beat, released })}\n`;
  try {
    await writeFile(path, textOf(0), { flag: "wx", mode: 0o600 });
  } catch (error) {
    await socket?.close();
    if (errorCode(error) === "EEXIST") return null;
    throw error;
  }
  await forget(folder, number, self.socket);
  return hold(folder, number, textOf, async () => socket?.close());
}

/** The locks of those who are gone, and their sockets. */
async function forget(folder: string, number: number, ownSocket: string | null): Promise<void> {
  for (const name of await readdir(folder)) {
    const older = Number(LOCK_NAME.exec(name)?.[1] ?? Number.POSITIVE_INFINITY) < number;
    const isSocket = /^server\.[0-9a-f]{8}\.sock$/.test(name) && name !== ownSocket;
    if (older || (isSocket && (await isListening(folder, name)) === "no")) {
      await rm(join(folder, name), { force: true });
    }
  }
}

function hold(
  folder: string,
  number: number,
  textOf: (beat: number, released?: boolean) => string,
  silence: () => Promise<void>,
): FolderLock {
  const path = join(folder, `server.lock.${number}`);
  let beats = 0;
  let seenAt = performance.now();
  let lost: FolderLost | null = null;
  let beating: Promise<void> = Promise.resolve();

  async function write(released: boolean): Promise<void> {
    // Never created anew: where it is gone, somebody has taken the folder.
    const file = await open(path, "r+");
    try {
      beats += 1;
      const text = textOf(beats, released);
      await file.write(text, 0);
      await file.truncate(Buffer.byteLength(text));
    } finally {
      await file.close();
    }
  }

  async function beat(): Promise<void> {
    if (lost !== null) return;
    const at = performance.now();
    try {
      await write(false);
      if ((await newest(folder))?.number !== number) throw new Error("a newer lock is there");
      seenAt = at;
    } catch (error) {
      lost = new FolderLost(`${folder} is another server's now; this one stores nothing any more`, { cause: error });
    }
  }

  function soon(): Promise<void> {
    beating = beating.then(beat);
    return beating;
  }

  const timer = setInterval(soon, BEAT);
  timer.unref();
  return {
    check: async () => {
      // In half of the time in which nobody else can have taken it there is nothing to be looked at.
      if (lost === null && performance.now() - seenAt > SILENCE / 2) await soon();
      if (lost !== null) throw lost;
    },
    release: async () => {
      clearInterval(timer);
      await beating;
      if (lost === null) await write(true);
      await silence();
    },
  };
}

async function newest(folder: string): Promise<Found | null> {
  const numbers = (await readdir(folder)).flatMap((name) => LOCK_NAME.exec(name)?.[1] ?? []).map(Number);
  if (numbers.length === 0) return null;
  const number = Math.max(...numbers);
  try {
    const text = await readFile(join(folder, `server.lock.${number}`), "utf8");
    return { number, text, holder: parse(text) };
  } catch (error) {
    // Its successor took it away meanwhile.
    if (errorCode(error) === "ENOENT") return newest(folder);
    throw error;
  }
}

function parse(text: string): Holder | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The same in all containers on one kernel, and another after each start of it. Null where the system does not say. */
async function kernelId(): Promise<string | null> {
  try {
    return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  } catch {
    return null;
  }
}
