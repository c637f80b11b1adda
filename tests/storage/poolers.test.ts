/** pgbouncer between a node and PostgreSQL. */
import { sql } from "drizzle-orm";
import { Client } from "pg";
import { v7 as newId } from "uuid";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Database, openPostgres } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { CannotStart } from "../../server/core/errors.ts";
import { pgbouncerBinary, startPgbouncer } from "../support/pgbouncer.ts";
import { type FreshDatabase, freshDatabase, postgresUrl, servicesMissing } from "../support/services.ts";
import { historyOf, introduce, openGroup, query, say } from "../support/storage.ts";

const reason = pgbouncerBinary() === undefined ? "no pgbouncer on this machine" : servicesMissing;

describe.skipIf(pgbouncerBinary() === undefined || postgresUrl === undefined)(
  `through a pooler${reason === "" ? "" : ` (${reason})`}`,
  () => {
    let direct: FreshDatabase;
    const ends: (() => Promise<unknown>)[] = [];
    beforeEach(async () => {
      direct = await freshDatabase();
    });
    afterEach(async () => {
      for (const end of ends.splice(0).reverse()) await end();
      await direct.drop();
    });

    async function pooler(settings: Parameters<typeof startPgbouncer>[1]): Promise<string> {
      const started = await startPgbouncer(direct.url, settings);
      ends.push(() => started.stop());
      return started.url;
    }

    async function open(url: string, searchPath: string | null): Promise<Database> {
      const database = await openPostgres({ url, searchPath });
      ends.push(() => database.close());
      return database;
    }

    /** Where there are tables of ours. */
    async function schemas(): Promise<unknown[]> {
      const client = new Client(direct.url);
      await client.connect();
      try {
        const { rows } = await client.query("select schemaname from pg_tables where tablename = 'messages' order by 1");
        return rows.map((row) => row.schemaname);
      } finally {
        await client.end();
      }
    }

    test.each([
      ["stock", {}],
      ["which drops what it does not know", { ignore_startup_parameters: "options,extra_float_digits" }],
    ])("in session mode, %s: two nodes at once, each in the schema that it asks for", async (_, settings) => {
      const url = await pooler({ pool_mode: "session", default_pool_size: 60, ...settings });
      const nodes = await Promise.all([open(url, "tenant_a"), open(url, "tenant_a"), open(url, "tenant_b")]);
      expect(await schemas()).toEqual(["tenant_a", "tenant_b"]);
      const [first, second, third] = nodes.map((database) => createStore(database, newId));
      if (first === undefined || second === undefined || third === undefined) throw new Error("three were opened");
      const [alice] = await introduce(first, "alice");
      const group = await openGroup(first, alice);
      for (const store of [first, second]) await say(store, alice, group);
      const page = { conversationId: group, before: null, after: null, limit: 9, pinned: false };
      expect(await historyOf(second, page)).toMatchObject([{ seq: 2 }, { seq: 1 }]);
      expect(await third.user(alice.id)).toBeNull();
      for (const database of nodes) await database.ping();
    });

    test("in session mode, a session that was used before by whoever set other things in it", async () => {
      const url = await pooler({ pool_mode: "session", default_pool_size: 60, server_reset_query: "" });
      const before = new Client(url);
      await before.connect();
      await before.query("set DateStyle to German; set search_path to nowhere; set statement_timeout to 1");
      await before.end();
      const database = await open(url, "tenant_a");
      const [row] = await query({ database }, sql`select now()::date::text as today, current_schema() as schema`);
      expect(row).toEqual({ today: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), schema: "tenant_a" });
    });

    test.each(["transaction", "statement"])("in %s mode it is said in one line", async (mode) => {
      const url = await pooler({ pool_mode: mode });
      const nodes = await Promise.allSettled([open(url, null), open(url, "tenant_a")]);
      for (const node of nodes) {
        expect(node).toMatchObject({ status: "rejected", reason: expect.any(CannotStart) });
        expect(node).toMatchObject({
          reason: { message: expect.stringMatching(/^PostgreSQL at 127\.0\.0\.1:.* set pool_mode = session/) },
        });
      }
      expect(await schemas()).toEqual([]);
    });

    test.each([0, 1])("in transaction mode beside many others (taking turns: %i)", async (turns) => {
      const url = await pooler({ pool_mode: "transaction", default_pool_size: 5, server_round_robin: turns });
      let isOver = false;
      const others = Array.from({ length: 8 }, async () => {
        const client = new Client(url);
        await client.connect();
        while (!isOver) await client.query("begin").then(() => client.query("commit"));
        await client.end();
      });
      for (let attempt = 0; attempt < 10; attempt += 1) {
        await expect(openPostgres({ url, searchPath: null })).rejects.toThrow(/set pool_mode = session/);
      }
      isOver = true;
      await Promise.all(others);
    });

    test("what it refuses of the address is said in one line", async () => {
      const url = new URL(await pooler({ pool_mode: "session" }));
      url.searchParams.set("options", "-c work_mem=7MB");
      await expect(open(url.href, null)).rejects.toThrow(/unsupported startup parameter.*take it out of DATABASE_URL$/);
    });
  },
);
