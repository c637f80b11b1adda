import { existsSync } from "node:fs";
import { Pool } from "pg";
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
    const pool = new Pool({ connectionString: server.url, max: 1 });
    // The connection that is lost while the server is killed: unheard, it would end the process.
    pool.on("error", () => {});
    await pool.query("create table note (body text)");
    await pool.query("insert into note values ('kept')");
    const { rows } = await pool.query<{ setting: string }>(
      "select setting from pg_settings where name = 'data_directory'",
    );
    const data = rows[0]?.setting ?? "";
    const first = server.pid;

    await server.kill();
    expect(isRunning(first)).toBe(false);
    expect(() => server.pid).toThrow("not running");
    await expect(pool.query("select 1")).rejects.toThrow();

    await server.restart();
    expect(server.pid).not.toBe(first);
    expect((await pool.query("select body from note")).rows).toEqual([{ body: "kept" }]);
    const second = server.pid;

    expect(existsSync(data)).toBe(true);
    await server.stop();
    expect(isRunning(second)).toBe(false);
    expect(existsSync(data)).toBe(false);
    await pool.end();
  });
});
