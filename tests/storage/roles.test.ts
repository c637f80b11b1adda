/** Roles that do not own the database, and databases that are not fit: on a PostgreSQL of the test's own, as roles are of all. */
import { Client } from "pg";
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Database, openPostgres } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { CannotStart, StorageUnavailable } from "../../server/core/errors.ts";
import { type PostgresServer, postgresBinaries, startPostgres } from "../support/postgres-server.ts";
import { introduce, openGroup, say } from "../support/storage.ts";

const isMissing = postgresBinaries() === undefined;

describe.skipIf(isMissing)(`roles${isMissing ? " (no PostgreSQL binaries on this machine)" : ""}`, () => {
  let server: PostgresServer;
  let name: string;
  let count = 0;
  beforeAll(async () => {
    server = await startPostgres();
    await administer("postgres", "create role chat login");
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    count += 1;
    name = `db_${count}`;
    await administer("postgres", "alter role chat reset all", "alter role chat connection limit -1");
    await administer("postgres", `create database ${name} template template0`);
  });

  async function administer(database: string, ...statements: string[]): Promise<unknown[]> {
    const client = new Client(urlOf("postgres", database));
    await client.connect();
    try {
      let rows: unknown[] = [];
      for (const statement of statements) rows = (await client.query(statement)).rows;
      return rows;
    } finally {
      await client.end();
    }
  }

  function urlOf(role: string, database: string): string {
    const url = new URL(server.url);
    url.username = role;
    url.pathname = `/${database}`;
    return url.href;
  }

  async function use(database: Database): Promise<void> {
    const store = createStore(database, newId);
    const [alice] = await introduce(store, "alice");
    const group = await openGroup(store, alice);
    expect(await say(store, alice, group)).toMatchObject({ seq: 1 });
    expect(await store.changes(group, 0, 9, 9)).toHaveLength(1);
    await store.ping();
  }

  async function openAndUse(role: string, searchPath: string | null = null): Promise<void> {
    const database = await openPostgres({ url: urlOf(role, name), searchPath });
    try {
      await use(database);
    } finally {
      await database.close();
    }
  }

  /** Of the whole message: one line, which says where, what, and how it is put right. */
  async function refusalOf(role: string, searchPath: string | null = null): Promise<string> {
    const [outcome] = await Promise.allSettled([openPostgres({ url: urlOf(role, name), searchPath })]);
    if (outcome.status === "fulfilled") {
      await outcome.value.close();
      throw new Error("it was opened");
    }
    expect(outcome.reason).toBeInstanceOf(CannotStart);
    const where = `PostgreSQL at ${new URL(server.url).host}/${name}: `;
    expect(outcome.reason.message.slice(0, where.length)).toBe(where);
    expect(outcome.reason.message).not.toContain("\n");
    return outcome.reason.message.slice(where.length);
  }

  const schemas = () =>
    administer(name, "select nspname from pg_namespace where nspname !~ '^pg_|^information' order by 1");

  describe("start with", () => {
    test("the right to create in the schema, and not in the database", async () => {
      await administer(name, "grant usage, create on schema public to chat");
      await openAndUse("chat");
      await openAndUse("chat");
    });

    test("a schema of their own, which is named", async () => {
      await administer(name, 'create schema "Tenant" authorization chat');
      await openAndUse("chat", "Tenant");
    });

    test("a schema of their own, which their search path leads to", async () => {
      await administer(name, "create schema chat authorization chat");
      await openAndUse("chat");
      expect(await administer(name, "select schemaname from pg_tables where tablename = 'messages'")).toEqual([
        { schemaname: "chat" },
      ]);
    });

    test("tables that another role made, and the right to their rows", async () => {
      await openAndUse("postgres");
      await administer(name, "grant select, insert, update, delete on all tables in schema public to chat");
      await openAndUse("chat");
    });
  });

  describe("are told in one line, by which statement they start,", () => {
    test("that they may not create", async () => {
      await administer(name, "revoke all on schema public from public", "grant usage on schema public to chat");
      const refusal = await refusalOf("chat");
      expect(refusal).toMatch(/^role "chat" may not create or change the tables in schema "public": grant /);
      await administer(name, refusal.replace(/^.*?: (grant .*?);.*$/, "$1"));
      await openAndUse("chat");
    });

    test("that a schema is not there", async () => {
      const refusal = await refusalOf("chat", "tenant");
      expect(refusal).toBe(
        'schema "tenant" is not there, and role "chat" may not make it: create schema "tenant" authorization "chat"',
      );
      expect(await schemas()).toEqual([{ nspname: "public" }]);
      await administer(name, refusal.replace(/^.*: /, ""));
      await openAndUse("chat", "tenant");
    });

    test("that a schema is another's", async () => {
      await administer(name, "create schema tenant");
      const refusal = await refusalOf("chat", "tenant");
      expect(refusal).toMatch(/^role "chat" may not use schema "tenant": grant /);
      await administer(name, refusal.replace(/^.*: /, ""));
      await openAndUse("chat", "tenant");
    });

    test.each(["select", "insert", "update", "delete"])("that they may not %s", async (right) => {
      await openAndUse("postgres");
      const all = "grant select, insert, update, delete on all tables in schema public to chat";
      await administer(name, all, `revoke ${right} on messages from chat`);
      const refusal = await refusalOf("chat");
      expect(refusal).toMatch(new RegExp(`^role "chat" may not ${right} in table "messages": grant `));
      await administer(name, refusal.replace(/^.*: /, ""));
      await openAndUse("chat");
    });

    test("that the search path leads to no schema, and nothing is left behind", async () => {
      await administer(name, "alter role chat set search_path = nowhere");
      expect(await refusalOf("chat")).toMatch(/^no schema of the search path \(nowhere\) is there for role "chat": /);
      expect(await schemas()).toEqual([{ nspname: "public" }]);
    });

    test.each(["LATIN1", "SQL_ASCII"])("that the encoding is %s", async (encoding) => {
      await administer("postgres", `drop database ${name}`);
      await administer("postgres", `create database ${name} template template0 encoding '${encoding}' locale 'C'`);
      expect(await refusalOf("postgres")).toMatch(
        new RegExp(`^its encoding is ${encoding}, which cannot hold every text; make a database with UTF8: `),
      );
      expect(await schemas()).toEqual([{ nspname: "public" }]);
    });
  });

  test("a database that becomes read-only is not ready, until it can be written to again", async () => {
    const database = await openPostgres({ url: urlOf("postgres", name), searchPath: null });
    try {
      const store = createStore(database, newId);
      await use(database);
      const set = async (statement: string) => {
        await administer(
          "postgres",
          statement,
          `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = '${name}' and pid <> pg_backend_pid()`,
        );
      };
      /** The connections that were ended are noticed by and by. */
      const eventually = async (is: (outcome: PromiseSettledResult<void>) => boolean) => {
        for (;;) {
          const [outcome] = await Promise.allSettled([store.ping()]);
          if (is(outcome)) return;
          if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(StorageUnavailable);
        }
      };
      await set(`alter database ${name} set default_transaction_read_only = on`);
      await eventually(({ status }) => status === "rejected");
      // Not only for the moment in which its connection was ended.
      for (let asked = 0; asked < 3; asked += 1) {
        await expect(store.ping()).rejects.toMatchObject({ cause: { message: expect.stringContaining("read-only") } });
      }
      await set(`alter database ${name} reset default_transaction_read_only`);
      await eventually(({ status }) => status === "fulfilled");
      await use(database);
    } finally {
      await database.close();
    }
  });

  test("with three connections for a role: sends and reads work, all at once, and it is said", async () => {
    await administer(name, "grant usage, create on schema public to chat", "alter role chat connection limit 3");
    const warnings: string[] = [];
    const options = { url: urlOf("chat", name), searchPath: null, onWarning: (text: string) => warnings.push(text) };
    const database = await openPostgres(options);
    try {
      const store = createStore(database, newId);
      const [alice] = await introduce(store, "alice");
      const group = await openGroup(store, alice);
      const work = Array.from({ length: 40 }, () => [
        store.changes(group, 0, 9, 9),
        store.user(alice.id),
        say(store, alice, group),
        store.ping(),
      ]);
      await Promise.all(work.flat());
      expect(await store.positions([group])).toMatchObject([{ seq: 40 }]);
      expect(warnings).toContainEqual(
        expect.stringMatching(/^PostgreSQL has no more connections: going on with 1 of 8$/),
      );
    } finally {
      await database.close();
    }
  });

  test("with two connections for a role: said in one line", async () => {
    await administer(name, "grant usage, create on schema public to chat", "alter role chat connection limit 2");
    expect(await refusalOf("chat")).toMatch(/a node needs at least 3 connections$/);
  });

  test("over a socket of the file system, in each way that it is written", async () => {
    const folder = String(
      ((await administer(name, "show unix_socket_directories")) as Record<string, string>[])[0]
        ?.unix_socket_directories,
    );
    const { port } = new URL(server.url);
    for (const url of [
      `postgresql://postgres:p@/${name}?host=${folder}&port=${port}`,
      `postgresql:///${name}?host=${folder}&user=postgres&port=${port}`,
      `postgresql://postgres@${encodeURIComponent(folder)}:${port}/${name}`,
    ]) {
      const database = await openPostgres({ url, searchPath: null });
      expect(database.description).toContain(`PostgreSQL at ${folder}`);
      expect(database.description).not.toContain("postgres:p");
      await database.ping();
      await database.close();
    }
  });
});
