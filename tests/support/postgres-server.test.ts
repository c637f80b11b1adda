import { existsSync } from "node:fs";
import postgres from "postgres";
import { describe, expect, test } from "vitest";
import { postgresBinaries, startPostgres } from "./postgres-server.ts";

const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe.skipIf(postgresBinaries() === undefined)("a PostgreSQL of a test's own", () => {
  test("keeps what was committed when it is killed and restarted, and leaves nothing when it is stopped", async () => {
    const server = await startPostgres();
    // A server that is killed says so in a notice, which postgres.js would print.
    const sql = postgres(server.url, { max: 1, onnotice: () => {} });
    await sql`create table note (body text)`;
    await sql`insert into note values ('kept')`;
    const [directory] = await sql<{ setting: string }[]>`select setting from pg_settings where name = 'data_directory'`;
    const data = directory?.setting ?? "";
    const first = server.pid;

    await server.kill();
    expect(isRunning(first)).toBe(false);
    expect(() => server.pid).toThrow("not running");
    await expect(sql`select 1`).rejects.toThrow();

    await server.restart();
    expect(server.pid).not.toBe(first);
    expect(await sql`select body from note`).toEqual([{ body: "kept" }]);
    const second = server.pid;

    expect(existsSync(data)).toBe(true);
    await server.stop();
    expect(isRunning(second)).toBe(false);
    expect(existsSync(data)).toBe(false);
    await sql.end();
  });
});
