/**
 * drizzle-kit writes `"public"."table"` into foreign keys, which would nail the tables to that schema; a `schema` in
 * DATABASE_URL chooses another. Run after `drizzle-kit generate`, before the migration is committed.
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const folder = join(import.meta.dirname, "..", "migrations");
for (const name of await readdir(folder)) {
  if (!name.endsWith(".sql")) continue;
  const path = join(folder, name);
  const statements = await readFile(path, "utf8");
  await writeFile(path, statements.replaceAll('"public".', ""));
}
