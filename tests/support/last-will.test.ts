import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { leaveWill } from "./last-will.ts";

describe("a last will", () => {
  let directory: string;
  let trace: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "parley-test-will-"));
    trace = join(directory, "executed");
  });
  afterEach(() => rm(directory, { recursive: true }));

  test("is executed though the process that left it was killed", async () => {
    const script = `
      import { leaveWill } from ${JSON.stringify(join(import.meta.dirname, "last-will.ts"))};
      leaveWill(["touch", ${JSON.stringify(trace)}]);
      setInterval(() => {}, 1_000);
      console.log("left");`;
    const testator = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => testator.stdout.once("data", resolve));
    expect(existsSync(trace)).toBe(false);
    testator.kill("SIGKILL");
    await expect.poll(() => existsSync(trace), { timeout: 10_000 }).toBe(true);
  });

  test("is executed once and at once when asked", async () => {
    const will = leaveWill(["sh", "-c", 'echo done >> "$TRACE"; test "$(cat "$TRACE")" = done'], { TRACE: trace });
    await will.execute();
    await will.execute();
    expect(existsSync(trace)).toBe(true);
  });

  test("says so when its command fails", async () => {
    await expect(leaveWill(["false"]).execute()).rejects.toThrow("false ended with 1");
  });
});
