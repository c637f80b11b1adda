import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

export function readDocument(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Paths below `folder` that end so, relative to the project. */
export function pathsBelow(folder: string, end: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(end))
    .map((path) => join(folder, path))
    .toSorted();
}

/** The rows of the one table of a Markdown text whose header has these columns; cells as they stand, without backticks. */
export function tableRows(markdown: string, columns: readonly string[]): string[][] {
  const lines = markdown.split("\n");
  const header = `| ${columns.join(" | ")} |`;
  const start = lines.indexOf(header);
  if (start === -1 || lines.lastIndexOf(header) !== start) throw new Error(`not one table of ${header}`);
  const rows: string[][] = [];
  for (let index = start + 2; lines[index]?.startsWith("|"); index += 1) {
    const cells = lines[index]?.split("|").slice(1, -1) ?? [];
    rows.push(cells.map((cell) => cell.trim().replaceAll("`", "")));
  }
  return rows;
}
