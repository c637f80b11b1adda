/** A pgbouncer of the test's own, from the binary on this machine. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { answers, unprivilegedAccount } from "./postgres-server.ts";
import { freePort, prepareServerProcess } from "./server-process.ts";

export interface Pgbouncer {
  /** Of the database, through the pooler. */
  readonly url: string;
  stop(): Promise<void>;
}

/** In front of the PostgreSQL of `databaseUrl`; the settings go before pgbouncer's own defaults. Rejects with its log. */
export async function startPgbouncer(
  databaseUrl: string,
  settings: Readonly<Record<string, string | number>>,
): Promise<Pgbouncer> {
  const binary = pgbouncerBinary();
  if (binary === undefined) throw new Error("no pgbouncer on this machine");
  const server = await prepareServerProcess("pgbouncer", unprivilegedAccount());
  try {
    const port = await freePort();
    const target = new URL(databaseUrl);
    const [host, user] = [target.searchParams.get("host") ?? target.hostname, decodeURIComponent(target.username)];
    const password = target.password === "" ? "" : ` password=${decodeURIComponent(target.password)}`;
    const all = { listen_addr: "127.0.0.1", listen_port: port, unix_socket_dir: "", auth_type: "any", ...settings };
    const lines = [
      "[databases]",
      `* = host=${host} port=${target.port || 5432} user=${user}${password}`,
      "[pgbouncer]",
      ...Object.entries(all).map(([name, value]) => `${name} = ${value}`),
    ];
    const file = join(server.directory, "pgbouncer.ini");
    await writeFile(file, `${lines.join("\n")}\n`);
    const url = new URL(databaseUrl);
    url.host = `127.0.0.1:${port}`;
    await server.start(binary, [file], () => answers(url.href));
    return { url: url.href, stop: () => server.remove() };
  } catch (error) {
    await server.remove();
    throw error;
  }
}

/** Debian keeps it where only root's PATH leads. */
export function pgbouncerBinary(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  return folders.map((folder) => join(folder, "pgbouncer")).find((path) => existsSync(path));
}
