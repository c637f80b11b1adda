import { Client, escapeIdentifier } from "pg";

/** Databases for tests, made beside the one that `url` names and never in it. `name`: letters, digits and `_`. */
export async function createDatabase(url: string, name: string): Promise<void> {
  // From template0, which nobody can be connected to: template1 cannot be copied while somebody is.
  await administer(url, (client) => client.query(`create database ${escapeIdentifier(name)} template template0`));
}

/** Cuts the connections to it. One that is not there is no error. */
export async function dropDatabase(url: string, name: string): Promise<void> {
  await administer(url, (client) => client.query(`drop database if exists ${escapeIdentifier(name)} with (force)`));
}

export async function databasesNamed(url: string, prefix: string): Promise<string[]> {
  const { rows } = await administer(url, (client) =>
    client.query<{ datname: string }>("select datname from pg_database where starts_with(datname, $1)", [prefix]),
  );
  return rows.map((row) => row.datname);
}

/** Why test databases cannot be made at `url`; "" when they can. Rejects when nothing answers there. */
export async function obstacleToDatabases(url: string): Promise<string> {
  const { rows } = await administer(url, (client) =>
    client.query<{ able: boolean }>(
      "select rolcreatedb or rolsuper as able from pg_roles where rolname = current_user",
    ),
  );
  return rows[0]?.able === true ? "" : "its user may not create databases";
}

async function administer<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // Unheard, a lost connection would end the process; the statement that needs it rejects.
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
