import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { Pool } from "pg";
import { describe, expect, test } from "vitest";
import { databasesNamed } from "./databases.ts";
import { freshDatabase, postgresUrl, redisUrl, servicesMissing } from "./services.ts";

test("a missing service comes with a reason", () => {
  expect(servicesMissing === "").toBe(postgresUrl !== undefined && redisUrl !== undefined);
});

describe.skipIf(postgresUrl === undefined)("a fresh database", () => {
  const nameOf = (url: string) => new URL(url).pathname.slice(1);

  test("can be written to and is gone when dropped, though somebody is connected", async () => {
    const database = await freshDatabase();
    const pool = new Pool({ connectionString: database.url, max: 1 });
    // The connection that is cut: unheard, it would end the process.
    pool.on("error", () => {});
    await pool.query("create table note (body text)");
    await pool.query("insert into note values ($1)", ["grüezi 👋"]);
    expect((await pool.query("select body, current_database() as name from note")).rows).toEqual([
      { body: "grüezi 👋", name: nameOf(database.url) },
    ]);
    await database.drop();
    expect(await databasesNamed(postgresUrl ?? "", nameOf(database.url))).toEqual([]);
    await pool.end();
  });

  test("shares nothing with another one made at the same time", async () => {
    const databases = await Promise.all([freshDatabase(), freshDatabase()]);
    expect(nameOf(databases[0].url)).not.toBe(nameOf(databases[1].url));
    await Promise.all(databases.map((database) => database.drop()));
  });
});

describe.skipIf(redisUrl === undefined)("Redis", () => {
  test("answers", async () => {
    const redis = new Redis(redisUrl ?? "");
    const key = `parley_test_${randomUUID()}`;
    expect(await redis.set(key, "there", "EX", 60)).toBe("OK");
    expect(await redis.getdel(key)).toBe("there");
    redis.disconnect();
  });
});
