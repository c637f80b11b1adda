import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findChromium } from "../../scripts/find-chromium.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "parley-chromium-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function program(folder: string, name: string): Promise<string> {
  const path = join(directory, folder, name);
  await mkdir(join(directory, folder), { recursive: true });
  await writeFile(path, "#!/bin/sh\n");
  await chmod(path, 0o755);
  return path;
}

test("the one that CHROMIUM_PATH names goes before those in PATH", async () => {
  const given = await program("elsewhere", "my-browser");
  const installed = await program("bin", "chromium");
  const PATH = join(directory, "bin");
  expect(findChromium({ CHROMIUM_PATH: given, PATH })).toBe(given);
  expect(findChromium({ CHROMIUM_PATH: "", PATH })).toBe(installed);
});

test("CHROMIUM_PATH that names nothing that runs is an error, whatever else is installed", async () => {
  const PATH = join(await program("bin", "chromium"), "..");
  for (const CHROMIUM_PATH of [join(directory, "none"), directory]) {
    expect(() => findChromium({ CHROMIUM_PATH, PATH })).toThrow(`CHROMIUM_PATH: ${CHROMIUM_PATH} cannot be run`);
  }
});

test("Chromium goes before Chrome, in whichever folder of PATH; what cannot be run is passed over", async () => {
  const chrome = await program("first", "google-chrome");
  const chromium = await program("second", "chromium-browser");
  await writeFile(join(directory, "first", "chromium"), "no program");
  const PATH = [join(directory, "first"), join(directory, "second")].join(delimiter);
  expect(findChromium({ PATH })).toBe(chromium);
  await rm(chromium);
  expect(findChromium({ PATH })).toBe(chrome);
});
