/**
 * Builds the server, the client library and the page into `dist`. All of it is made in a folder beside it that then takes
 * its place, so that whoever reads `dist` meanwhile finds the build before or this one, and never a mixture.
 *
 * `build.ts --if-stale` builds only where `dist` was not made of the sources as they are now.
 */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { rootFolder } from "../db/root-folder.ts";
import { holdBuildLock } from "./build-lock.mjs";
import { buildWeb } from "./build-web.ts";
import { sourcesHash } from "./sources-hash.ts";

const root = rootFolder();
const target = join(root, "dist");
/** In the build, the hash of what it was made of. */
const STAMP = "sources";

await holdBuildLock(root, async () => {
  const hash = sourcesHash(root);
  if (process.argv.includes("--if-stale") && (await stampOf(target)) === hash) return;
  const made = await folderBeside();
  try {
    await Promise.all([compile("tsconfig.build.json", made), compile("tsconfig.client.json", made)]);
    await buildWeb(join(made, "web"));
    await writeFile(join(made, STAMP), hash);
    await replace(made);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
});

/** Not `mkdtemp`, whose folders nobody else may read: an image builds as one user and runs as another. */
async function folderBeside(): Promise<string> {
  const folder = `${target}-${randomUUID()}`;
  await mkdir(folder);
  return folder;
}

async function stampOf(folder: string): Promise<string | null> {
  return readFile(join(folder, STAMP), "utf8").catch(() => null);
}

async function compile(project: string, outDir: string): Promise<void> {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  try {
    await promisify(execFile)(process.execPath, [compiler, "-p", project, "--outDir", outDir], { cwd: root });
  } catch (error) {
    // The compiler says what is wrong on its standard output.
    throw new Error(error instanceof Error && "stdout" in error ? String(error.stdout) : String(error));
  }
}

/** A folder cannot be renamed over another that holds something: the old one steps aside first. */
async function replace(made: string): Promise<void> {
  const old = await folderBeside();
  try {
    await mkdir(target, { recursive: true });
    await rename(target, join(old, "dist"));
    await rename(made, target);
  } finally {
    await rm(old, { recursive: true, force: true });
  }
}
