/** What an image and a package hold: no sources, and no development dependencies. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copy, pageOf, root, run, start, talk } from "./installed-server.ts";

let folder: string;
let printed: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-installation-"));
  const { files }: { files: string[] } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  await copy(["package.json", "package-lock.json", ...files], folder);
  const { stdout, stderr } = await run("npm", ["ci", "--omit=dev", "--no-audit", "--no-fund"], { cwd: folder });
  printed = stdout + stderr;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("it installs without a warning of the engine", () => {
  expect(printed).not.toContain("EBADENGINE");
});

test.each([
  ["as the image does", ["node", "--max-semi-space-size=64", "dist/server/main.js"]],
  ["npm start", ["npm", "start"]],
])("it starts, talks, serves its page and stops in order: %s", async (_name, command) => {
  const server = await start(folder, command, join(folder, "data", command[0] ?? ""));
  expect(await talk(server.url, "hello")).toEqual(["hello"]);
  const { files } = await pageOf(server.url);
  expect(files.length).toBeGreaterThan(1);
  expect(new Set(files)).toEqual(new Set([200]));
  expect(await server.end("SIGTERM")).toBe(0);
});
