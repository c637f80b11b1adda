/** What a build is made of, in one word: it changes when any of it does. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** Folders, with all that is in them, and files. */
const SOURCES = ["server", "db", "client", "web", "scripts", "package.json", "package-lock.json"];
const PROJECTS = /^tsconfig.*\.json$/;

export function sourcesHash(root: string): string {
  const hash = createHash("sha256");
  const projects = readdirSync(root).filter((name) => PROJECTS.test(name));
  for (const name of [...SOURCES, ...projects].flatMap((place) => filesIn(root, place)).sort()) {
    // The lengths keep apart what would read the same when one file ends earlier and the next begins earlier.
    const content = readFileSync(join(root, name));
    hash.update(`${name}\n${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

function filesIn(root: string, place: string): string[] {
  if (place.endsWith(".json")) return [place];
  return readdirSync(join(root, place), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}
