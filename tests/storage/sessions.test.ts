/** What a connection to PostgreSQL is like when nobody has asked anything yet. */
import { sql } from "drizzle-orm";
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import { openPostgres } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { describeOnPostgres, draft, introduce, openGroup, query } from "../support/storage.ts";

const NAMES = ["application_name", "search_path", "work_mem", "enable_seqscan", "statement_timeout"];
const SETTINGS = `select json_object_agg(name, current_setting(name)) as settings
  from unnest(array['${NAMES.join("', '")}']) as name`;

describeOnPostgres("sessions", (storage) => {
  test("in a schema of a name that needs quoting, with options in the address", async () => {
    const url = new URL(storage().url);
    url.searchParams.set("options", "-c work_mem=7MB");
    const database = await openPostgres({ url: url.href, searchPath: "Chat_1" });
    const store = createStore(database, newId);
    const common = { application_name: "parley", search_path: '"Chat_1"', work_mem: "7MB", statement_timeout: "12s" };
    expect(await query({ database }, sql.raw(SETTINGS))).toEqual([{ settings: { ...common, enable_seqscan: "on" } }]);
    expect(await database.writer.query(SETTINGS, [])).toEqual([{ settings: { ...common, enable_seqscan: "off" } }]);

    const [alice] = await introduce(store, "alice");
    await store.send([draft(alice, await openGroup(store, alice))]);
    const inSchema = sql`select sender_id from "Chat_1".messages`;
    expect(await query(storage(), inSchema)).toEqual([{ sender_id: alice.id }]);
    expect(await storage().store.user(alice.id)).toBeNull();
    await database.close();
  });

  test("in the default schema, whether it is named or not", async () => {
    const [alice] = await introduce(storage().store, "alice");
    const database = await openPostgres({ url: storage().url, searchPath: "public" });
    expect(await createStore(database, newId).user(alice.id)).toEqual(alice);
    await database.close();
  });

  test("what it tells is passed on", async () => {
    const notices: string[] = [];
    const options = { url: storage().url, searchPath: null, onNotice: (notice: string) => notices.push(notice) };
    const database = await openPostgres(options);
    await query({ database }, sql`do $$ begin raise notice 'of general interest'; end $$`);
    expect(notices).toContain("of general interest");
    await database.close();
  });
});
