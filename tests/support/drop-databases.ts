/** Run at the end of a test run, however it ended: drops what it left behind in the user's own PostgreSQL. */
import { databasesNamed, dropDatabase } from "./databases.ts";

const { DATABASE_URL, DATABASE_PREFIX } = process.env;
if (!DATABASE_URL || !DATABASE_PREFIX) throw new Error("DATABASE_URL and DATABASE_PREFIX say what to drop where");
for (const name of await databasesNamed(DATABASE_URL, DATABASE_PREFIX)) await dropDatabase(DATABASE_URL, name);
