/** Several servers from one checkout, as whoever tries out two nodes on one machine starts them. */
import { appendFile, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copy, pageOf, root, run, start, talk } from "./installed-server.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-checkout-"));
  const { stdout } = await run("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], { cwd: root });
  await copy(
    stdout.split("\0").filter((name) => name !== "" && !/^(?:tests|bench|docs)\//.test(name)),
    folder,
  );
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const startNode = (name: string) => start(folder, ["npm", "start"], join(folder, "data", name));

test("two that start at the same moment, and a third after a change, all serve what they were built of", async () => {
  const [first, second] = await Promise.all([startNode("first"), startNode("second")]);
  const before = await pageOf(first.url);
  expect(await pageOf(second.url)).toEqual(before);
  expect(new Set(before.files)).toEqual(new Set([200]));

  await appendFile(join(folder, "web/style.css"), "\n.of-the-third { margin: 0 }\n");
  const third = await startNode("third");
  const after = await pageOf(third.url);
  expect(after.html).not.toBe(before.html);
  expect(new Set(after.files)).toEqual(new Set([200]));
  for (const running of [first, second]) {
    expect(await pageOf(running.url)).toEqual(before);
    expect(await talk(running.url, "still here")).toEqual(["still here"]);
  }
  for (const server of [first, second, third]) expect(await server.end("SIGTERM")).toBe(0);
});
