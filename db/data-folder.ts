/**
 * The folder of the embedded database. PGlite writes files that everybody may read and write, so the folders around them
 * are what keeps the other accounts of the machine out, as PostgreSQL asks of its own.
 */
import { chmod, mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { CannotStart } from "../server/core/errors.ts";
import { errorCode } from "./failures.ts";

const OURS = /^(pglite|pglite\.room|development-secret.*|server\..*)$/;

/**
 * Makes `folder`, and the one of the database in it, for this account alone; those that are there are closed to others. A
 * folder that holds other things as well is left as it is: then the one inside has to do.
 *
 * @throws CannotStart when the database's folder is open to others and another account's
 */
export async function prepareDataFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const inside = join(folder, "pglite");
  if ((await readdir(folder)).every((name) => OURS.test(name))) await closeToOthers(folder).catch(unlessForeign);
  await mkdir(inside, { recursive: true, mode: 0o700 });
  try {
    await closeToOthers(inside);
  } catch (error) {
    unlessForeign(error);
    throw new CannotStart(`${inside}: others may enter it, and it is another account's; chmod 700 it, or chown it`);
  }
}

/** Windows keeps no such bits. */
async function closeToOthers(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const { mode } = await stat(folder);
  if ((mode & 0o077) !== 0) await chmod(folder, 0o700);
}

/** A volume is often its host's: whoever runs the server may use it and not change its mode. */
function unlessForeign(error: unknown): void {
  if (errorCode(error) !== "EPERM") throw error;
}
