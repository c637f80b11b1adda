/** Settings that an operator gave a role or a database for other purposes: what the server does is as ever. */
import { sql } from "drizzle-orm";
import { Client, escapeIdentifier } from "pg";
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, openPostgres } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { judge } from "../../server/core/messages.ts";
import { type FreshDatabase, freshDatabase, postgresUrl, servicesMissing } from "../support/services.ts";
import { draft, historyOf, introduce, openGroup, query, say } from "../support/storage.ts";

const INSTANT = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

const HOSTILE: Readonly<Record<string, string>> = {
  lock_timeout: "1",
  statement_timeout: "1",
  idle_in_transaction_session_timeout: "1",
  idle_session_timeout: "2000",
  DateStyle: "German",
  IntervalStyle: "sql_standard",
  TimeZone: "America/St_Johns",
  default_transaction_isolation: "serializable",
  default_transaction_deferrable: "on",
  standard_conforming_strings: "off",
  bytea_output: "escape",
  extra_float_digits: "-15",
  client_encoding: "LATIN1",
  array_nulls: "off",
  transform_null_equals: "on",
  synchronous_commit: "off",
};

describe.skipIf(postgresUrl === undefined)(
  `settings of a database${postgresUrl === undefined ? ` (${servicesMissing})` : ""}`,
  () => {
    let fresh: FreshDatabase;
    let administrator: Client;
    beforeAll(async () => {
      fresh = await freshDatabase();
      administrator = new Client(fresh.url);
      await administrator.connect();
    });
    afterAll(async () => {
      await administrator?.end();
      await fresh?.drop();
    });

    /** All others as they were; one that this version of PostgreSQL does not have is left out. */
    async function alter(settings: Readonly<Record<string, string>>): Promise<void> {
      const database = escapeIdentifier(new URL(fresh.url).pathname.slice(1));
      await administrator.query(`alter database ${database} reset all`);
      for (const [name, value] of Object.entries(settings)) {
        const { rowCount } = await administrator.query("select from pg_settings where lower(name) = lower($1)", [name]);
        if (rowCount === 1) await administrator.query(`alter database ${database} set ${name} = '${value}'`);
      }
    }

    async function withNodes(work: (...nodes: [Database, Database]) => Promise<void>): Promise<void> {
      const options = { url: fresh.url, searchPath: null };
      const nodes: Database[] = [];
      try {
        const [first, second] = [await openPostgres(options), await openPostgres(options)];
        nodes.push(first, second);
        await work(first, second);
      } finally {
        await Promise.all(nodes.map((node) => node.close()));
      }
    }

    async function expectAsEver(first: Database, second: Database): Promise<void> {
      const [store, other] = [createStore(first, newId), createStore(second, newId)];
      const [alice, bob] = await introduce(store, "alice", "bob");
      const group = await openGroup(store, alice, bob);
      expect(await store.conversation(group, alice.id)).toMatchObject({
        conversation: { createdAt: INSTANT, updatedAt: INSTANT },
      });
      const text = "C:\\new\\'x' 😀 Ж";
      const attachments = [{ odd: null, float: 0.1, path: "\\" }];
      const sent = await say(store, alice, group, { text, attachments, fileIdentifier: null });
      expect(sent).toMatchObject({ seq: 1, text, createdAt: INSTANT });

      const common = { userId: alice.id, conversationId: group, messageId: sent.id };
      const edit = await store.amend([{ kind: "edit", ...common, text: `${text}!` }], judge);
      expect(edit).toMatchObject([{ status: "changed" }]);
      await store.amend([{ kind: "read", userId: bob.id, conversationId: group, messageId: sent.id }], judge);
      const page = { conversationId: group, before: null, after: null, limit: 9, pinned: false };
      expect(await historyOf(other, page)).toMatchObject([
        { text: `${text}!`, attachments, createdAt: INSTANT, editedAt: INSTANT },
      ]);
      expect(await other.standings(bob.id)).toMatchObject([{ unread: 0 }]);
      expect(await other.memberships(alice.id)).toMatchObject([{ conversationId: group }]);
      expect(await other.changes(group, 0, 9, 9)).toHaveLength(2);

      // Both nodes write to one conversation at once: each waits for the other's lock, and none is refused.
      const many = [store, other].flatMap((one) =>
        Array.from({ length: 20 }, () => one.send([draft(alice, group)]).then(([outcome]) => outcome?.status)),
      );
      expect(new Set(await Promise.all(many))).toEqual(new Set(["stored"]));
    }

    test.each([
      ...Object.entries(HOSTILE),
      ["DateStyle", "SQL, DMY"],
      ["default_transaction_isolation", "repeatable read"],
    ])("%s = %s", async (name, value) => {
      await alter({ [name]: value });
      await withNodes(expectAsEver);
    });

    test("all of them at once", async () => {
      await alter(HOSTILE);
      await withNodes(expectAsEver);
    });

    test("a row that somebody else holds for longer than lock_timeout is waited for", async () => {
      await alter({ lock_timeout: "1" });
      await withNodes(async (database) => {
        const store = createStore(database, newId);
        const [alice] = await introduce(store, "alice");
        const group = await openGroup(store, alice);
        await administrator.query("begin");
        await administrator.query("select from conversations where id = $1 for update", [group]);
        const said = say(store, alice, group);
        const waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
        for (let isWaiting = false; !isWaiting; ) isWaiting = (await administrator.query(waiting)).rowCount === 1;
        await administrator.query("rollback");
        expect(await said).toMatchObject({ seq: 1 });
      });
    });

    test.each([
      ["off", "on"],
      // Chosen for replicas; each of them is on this server's disk.
      ["local", "local"],
      ["remote_apply", "remote_apply"],
    ])("synchronous_commit = %s: what is acknowledged is stored (%s)", async (value, used) => {
      await alter({ synchronous_commit: value });
      await withNodes(async (database) => {
        const read = "select current_setting('synchronous_commit') as value";
        expect(await database.writer.query(read, [])).toEqual([{ value: used }]);
        expect(await query({ database }, sql.raw(read))).toEqual([{ value: used }]);
      });
    });

    test("a search_path that leads nowhere is said in one line", async () => {
      await alter({ search_path: "nowhere" });
      const opened = openPostgres({ url: fresh.url, searchPath: null });
      await expect(opened).rejects.toThrow(
        /^PostgreSQL at .*: no schema of the search path \(nowhere\) is there for role/,
      );
      const { rows } = await administrator.query("select from pg_namespace where nspname in ('nowhere', 'drizzle')");
      expect(rows).toEqual([]);
      await withSchemaOf("tenant_a");
    });

    async function withSchemaOf(searchPath: string): Promise<void> {
      const database = await openPostgres({ url: fresh.url, searchPath });
      expect(await createStore(database, newId).user("nobody")).toBeNull();
      await database.close();
    }
  },
);
