/** Runs once, before all tests: finds a browser, and builds the page for it. */
import { execFile } from "node:child_process";
import { cp, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import { rootFolder } from "../../db/root-folder.ts";
import { findChromium } from "../../scripts/find-chromium.ts";
import { leaveWill } from "../support/last-will.ts";
import type { ProvidedBrowser } from "./browser-provided.ts";

const MISSING = "no CHROMIUM_PATH, and no Chromium or Chrome on this machine";

export default async function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const executable = findChromium();
  if (executable === null) {
    if (process.env.REQUIRE_BROWSER === "1") throw new Error(`REQUIRE_BROWSER is set, and there is ${MISSING}`);
    console.log(`Browser suites skipped: ${MISSING}`);
    project.provide("browser", { status: "missing", reason: MISSING });
    return undefined;
  }
  const parent = await mkdtemp(join(tmpdir(), "parley-page-"));
  const will = leaveWill(["rm", "-rf", parent]);
  project.provide("browser", await build(executable, join(parent, "web")));
  return () => will.execute();
}

/** A copy, so that whoever builds during the run does not take the page away from under the tests. */
async function build(executable: string, folder: string): Promise<ProvidedBrowser> {
  const root = rootFolder();
  try {
    await promisify(execFile)(process.execPath, ["--import", "tsx", "scripts/build-web.ts"], { cwd: root });
    await cp(join(root, "dist/web"), folder, { recursive: true });
    return { status: "available", executable, folder };
  } catch (error) {
    // The tests of the page fail with it; no other needs it.
    return { status: "unbuilt", reason: error instanceof Error ? error.message : String(error) };
  }
}
