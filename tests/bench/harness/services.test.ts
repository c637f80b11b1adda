import { describe, expect, test } from "vitest";
import { findServices, freshDatabase, queryRow, redisInfo } from "../../../bench/harness/services.ts";
import { publishCalls } from "../../../bench/scenarios/two-nodes.ts";
import { postgresBinaries } from "../../support/postgres-server.ts";
import { redisServerBinary } from "../../support/redis-server.ts";

const hasBinaries = postgresBinaries() !== undefined && redisServerBinary() !== undefined;

describe.skipIf(!hasBinaries)("services of the benchmark's own", () => {
  test("PostgreSQL that waits for the disk, databases that come and go, and Redis", async () => {
    const services = await findServices({});
    try {
      const { postgres, redis } = services;
      if (postgres.status === "missing") throw new Error(postgres.reason);
      if (redis.status === "missing") throw new Error(redis.reason);
      expect(postgres).toMatchObject({ isOwn: true, version: expect.stringMatching(/^\d+.*, fsync on$/) });
      expect(redis).toMatchObject({ isOwn: true, version: expect.stringMatching(/^\d+\.\d+/) });

      const databases = "select count(*)::int as count from pg_database where datname like 'parley_bench_%'";
      const database = await freshDatabase(postgres.url);
      expect(await queryRow(database.url, databases)).toEqual({ count: 1 });
      await database.drop();
      expect(await queryRow(postgres.url, databases)).toEqual({ count: 0 });

      expect(publishCalls(await redisInfo(redis.url, "commandstats"))).toBe(0);
    } finally {
      await services.release();
    }
  });
});

test("publishes are counted from Redis's own statistics, and no other command is taken for one", () => {
  const info = [
    "# Commandstats",
    "cmdstat_spublish:calls=3,usec=1,usec_per_call=1.00",
    "cmdstat_publish:calls=1234,usec=5678,usec_per_call=4.60,rejected_calls=0,failed_calls=0",
    "",
  ].join("\r\n");
  expect(publishCalls(info)).toBe(1234);
  expect(publishCalls("# Commandstats\r\n")).toBe(0);
});
