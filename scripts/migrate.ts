/** Brings the PostgreSQL of DATABASE_URL up to date, for who wants that done before the server starts, which does the same. */
import { openPostgres } from "../db/client.ts";
import { ConfigError, loadConfig, readEnvironmentFile } from "../server/config.ts";
import { CannotStart } from "../server/core/errors.ts";

async function migrate(): Promise<void> {
  const { database } = loadConfig({ ...readEnvironmentFile(".env"), ...process.env });
  if (database === null) {
    throw new CannotStart("DATABASE_URL is not set: the embedded database is migrated by the server alone");
  }
  const opened = await openPostgres({ ...database, onWarning: (message) => console.error(message) });
  console.log(`${opened.description} is up to date`);
  await opened.close();
}

try {
  await migrate();
} catch (error) {
  if (!(error instanceof CannotStart || error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
