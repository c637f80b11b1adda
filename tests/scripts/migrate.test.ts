import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { freePort } from "../support/server-process.ts";
import { freshDatabase, postgresUrl, servicesMissing } from "../support/services.ts";

/** Ms; a process takes one or two seconds to start, several on a loaded machine. */
const DEADLINE = 60_000;

const run = (databaseUrl: string) => {
  const { PATH = "", HOME = "", TMPDIR = "/tmp" } = process.env;
  const env = { PATH, HOME, TMPDIR, DATABASE_URL: databaseUrl, JWT_SECRET: "0".repeat(32) };
  return promisify(execFile)(process.execPath, ["--import", "tsx", "scripts/migrate.ts"], { env });
};

describe("db:migrate", () => {
  test("says in one line what is in the way", { timeout: DEADLINE }, async () => {
    const port = await freePort();
    await expect(run(`postgres://u:secret@127.0.0.1:${port}/chat`)).rejects.toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(
        new RegExp(`^PostgreSQL at 127\\.0\\.0\\.1:${port}/chat: [^\\n]*ECONNREFUSED[^\\n]*\\n$`),
      ),
    });
  });

  test.skipIf(postgresUrl === undefined)(
    `says that it is done ${servicesMissing}`.trim(),
    { timeout: DEADLINE },
    async () => {
      const { url, drop } = await freshDatabase();
      for (let time = 0; time < 2; time += 1) {
        expect(await run(url)).toEqual({
          stdout: expect.stringMatching(/^PostgreSQL at \S+ is up to date\n$/),
          stderr: "",
        });
      }
      await drop();
    },
  );
});
