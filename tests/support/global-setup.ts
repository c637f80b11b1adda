/** Runs once, before all tests and in vitest's own process. */
import { randomBytes } from "node:crypto";
import type { TestProject } from "vitest/node";
import { findPostgres, findRedis } from "./find-services.ts";
import { missingServices, reasonsOf } from "./services-provided.ts";

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const databasePrefix = `parley_test_${randomBytes(4).toString("hex")}_`;
  const [postgres, redis] = await Promise.all([
    findPostgres(process.env.DATABASE_URL, databasePrefix),
    findRedis(process.env.REDIS_URL),
  ]);
  const release = async () => {
    await Promise.all([postgres.release(), redis.release()]);
  };
  const provided = { postgres: postgres.service, redis: redis.service, databasePrefix };
  const missing = missingServices(provided);
  if (process.env.REQUIRE_SERVICES === "1" && missing.length > 0) {
    await release();
    throw new Error(`REQUIRE_SERVICES is set, and there is no ${reasonsOf(missing)}`);
  }
  project.provide("services", provided);
  return release;
}
