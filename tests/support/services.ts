/**
 * PostgreSQL and Redis, for tests that need them:
 *
 *     describe.skipIf(postgresUrl === undefined)("…", () => { … });
 *
 * The servers may be the user's own: a test writes to databases from `freshDatabase` alone, and on Redis under a random
 * key prefix.
 */
import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { createDatabase, dropDatabase } from "./databases.ts";
import type { Service } from "./find-services.ts";
import { missingServices, reasonsOf } from "./services-provided.ts";

const provided = inject("services");

export const postgresUrl = urlOf(provided.postgres);
export const redisUrl = urlOf(provided.redis);
/** Why there is no `postgresUrl` or no `redisUrl`; "" when there are both. */
export const servicesMissing = reasonsOf(missingServices(provided));

export interface FreshDatabase {
  readonly url: string;
  /** Cuts the connections to it. */
  drop(): Promise<void>;
}

/** An empty database; rejects when there is no PostgreSQL. What is not dropped goes at the end of the run. */
export async function freshDatabase(): Promise<FreshDatabase> {
  if (postgresUrl === undefined) throw new Error(servicesMissing);
  const server = postgresUrl;
  const name = `${provided.databasePrefix}${randomBytes(6).toString("hex")}`;
  await createDatabase(server, name);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => dropDatabase(server, name) };
}

function urlOf(service: Service): string | undefined {
  return service.status === "available" ? service.url : undefined;
}
