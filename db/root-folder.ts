import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where package.json and `migrations/` are: above the sources, and one further above the build. */
export function rootFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("package.json is missing from this installation");
    folder = parent;
  }
  return folder;
}
