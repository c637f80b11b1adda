import postgres from "postgres";

/** Databases for tests, made beside the one that `url` names and never in it. `name`: letters, digits and `_`. */
export async function createDatabase(url: string, name: string): Promise<void> {
  // From template0, which nobody can be connected to: template1 cannot be copied while somebody is.
  await administer(url, (sql) => sql`create database ${sql(name)} template template0`);
}

/** Cuts the connections to it. One that is not there is no error. */
export async function dropDatabase(url: string, name: string): Promise<void> {
  await administer(url, (sql) => sql`drop database if exists ${sql(name)} with (force)`);
}

export async function databasesNamed(url: string, prefix: string): Promise<string[]> {
  const rows = await administer(
    url,
    (sql) => sql<{ datname: string }[]>`select datname from pg_database where starts_with(datname, ${prefix})`,
  );
  return rows.map((row) => row.datname);
}

/** Why test databases cannot be made at `url`; "" when they can. Rejects when nothing answers there. */
export async function obstacleToDatabases(url: string): Promise<string> {
  const [role] = await administer(
    url,
    (sql) =>
      sql<{ able: boolean }[]>`select rolcreatedb or rolsuper as able from pg_roles where rolname = current_user`,
  );
  return role?.able === true ? "" : "its user may not create databases";
}

async function administer<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  // Seconds. The notice that something is not there is no news to who says `if exists`.
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
