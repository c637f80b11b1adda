/** Brings the PostgreSQL of DATABASE_URL up to date, for who wants that done before the server starts, which does the same. */
import { openPostgres } from "../db/client.ts";
import { loadConfig, readEnvironmentFile } from "../server/config.ts";

const { database } = loadConfig({ ...readEnvironmentFile(".env"), ...process.env });
if (database === null)
  throw new Error("DATABASE_URL is not set: the embedded database is migrated by the server alone");
const opened = await openPostgres(database);
console.log(`${opened.description} is up to date`);
await opened.close();
