/** What things cost, counted: statements, rows written, rows looked at. Never time. */
import { sql } from "drizzle-orm";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { judge } from "../../server/core/messages.ts";
import type { Profile } from "../../server/core/model.ts";
import {
  describeOnPostgres,
  describeStorage,
  draft,
  introduce,
  openGroup,
  openStorageNode,
  query,
  type Storage,
  type StorageNode,
  say,
  viewsOf,
} from "../support/storage.ts";
import { startWire, type Wire } from "./wire.ts";

describeStorage("rows written", (storage) => {
  test("for a message: itself, its conversation and its sender, in a group of 2 and of 1,000", async () => {
    const [alice, bob] = await introduce(storage().store, "alice", "bob");
    const small = await openGroup(storage().store, alice, bob);
    const large = await openGroup(storage().store, alice, bob);
    await crowd(storage(), large, 998);
    for (const group of [small, large]) {
      const before = await transactionId(storage());
      await say(storage().store, alice, group);
      expect(await rowsWrittenSince(storage(), before)).toEqual({
        users: 0,
        conversations: 1,
        members: 1,
        messages: 1,
        changes: 0,
      });
    }
  });

  test("for an edit, a pin and a read mark: the same in both", async () => {
    const [alice, bob] = await introduce(storage().store, "alice", "bob");
    const small = await openGroup(storage().store, alice, bob);
    const large = await openGroup(storage().store, alice, bob);
    await crowd(storage(), large, 998);
    for (const conversationId of [small, large]) {
      const { id: messageId } = await say(storage().store, alice, conversationId);
      const common = { userId: alice.id, conversationId, messageId };
      for (const amendment of [
        { kind: "edit", ...common, text: "new" } as const,
        { kind: "pin", ...common, pinned: true } as const,
      ]) {
        const before = await transactionId(storage());
        expect(await storage().store.amend([amendment], judge)).toMatchObject([{ status: "changed" }]);
        expect(await rowsWrittenSince(storage(), before)).toEqual({
          users: 0,
          conversations: 1,
          members: 0,
          messages: 1,
          changes: 1,
        });
      }
      const before = await transactionId(storage());
      const read = { kind: "read", userId: bob.id, conversationId, messageId: null } as const;
      expect(await storage().store.amend([read], judge)).toMatchObject([{ status: "read" }]);
      expect(await rowsWrittenSince(storage(), before)).toEqual({
        users: 0,
        conversations: 1,
        members: 1,
        messages: 0,
        changes: 0,
      });
    }
  });
});

describeOnPostgres("statements", (storage) => {
  let wire: Wire;
  let node: StorageNode;
  beforeAll(async () => {
    wire = await startWire(storage().url);
    node = await openStorageNode(wire.url);
  });
  afterAll(async () => {
    await node?.database.close();
    await wire?.close();
  });

  test("for a batch of 1, 10 and 100 messages over 1, 10 and 100 conversations: one", async () => {
    const [alice] = await introduce(node.store, "alice");
    const groups: string[] = [];
    while (groups.length < 100) groups.push(await openGroup(node.store, alice));
    await say(node.store, alice, groups[0] ?? "");
    for (const conversations of [1, 10, 100]) {
      for (const messages of [1, 10, 100]) {
        wire.statements();
        await node.store.send(
          Array.from({ length: messages }, (_, index) => draft(alice, groups[index % conversations] ?? "")),
        );
        expect(wire.statements()).toEqual([expect.stringContaining("insert into messages")]);
      }
    }
  });

  test("for a batch of which some cannot be stored: three, however many they are", async () => {
    const [alice, bob] = await introduce(node.store, "alice", "bob");
    const groups: string[] = [];
    while (groups.length < 10) groups.push(await openGroup(node.store, alice));
    for (const conversations of [1, 10]) {
      for (const strangers of [1, 50]) {
        const batch = Array.from({ length: 100 }, (_, index) =>
          draft(index < strangers ? bob : alice, groups[index % conversations] ?? ""),
        );
        wire.statements();
        await node.store.send(batch);
        expect(wire.statements()).toEqual([
          expect.stringContaining("insert into messages"),
          expect.stringContaining("not_a_member"),
          expect.stringContaining("insert into messages"),
        ]);
      }
    }
  });

  test("for a batch of amendments: the same for 1 and for 100, in 1 conversation and in 10", async () => {
    const [alice, bob] = await introduce(node.store, "alice", "bob");
    const groups: string[] = [];
    while (groups.length < 10) groups.push(await openGroup(node.store, alice, bob));
    const counts = new Set<number>();
    for (const [size, conversations] of [
      [1, 1],
      [100, 1],
      [10, 10],
      [100, 10],
    ] as const) {
      const sent = await node.store.send(
        Array.from({ length: size }, (_, index) => draft(alice, groups[index % conversations] ?? "")),
      );
      const amendments = sent.flatMap((outcome) => {
        if (outcome.status !== "stored") throw new Error("not stored");
        const { id: messageId, conversationId } = outcome.change.message;
        const common = { conversationId, messageId };
        return [
          { kind: "pin", userId: bob.id, ...common, pinned: true } as const,
          { kind: "delete", userId: alice.id, ...common } as const,
          { kind: "read", userId: bob.id, conversationId, messageId: null } as const,
        ];
      });
      wire.statements();
      await node.store.amend(amendments, judge);
      counts.add(wire.statements().length);
    }
    expect([...counts]).toHaveLength(1);
  });

  test("for a list of conversations: the same for 1 and for 100", async () => {
    const [alice] = await introduce(node.store, "alice");
    const groups: string[] = [];
    while (groups.length < 100) groups.push(await openGroup(node.store, alice));
    await node.store.send(groups.map((group) => draft(alice, group)));
    const counts = new Set<number>();
    for (const limit of [1, 100]) {
      wire.statements();
      expect(await viewsOf(node.store, alice.id, limit, null)).toHaveLength(limit);
      counts.add(wire.statements().length);
    }
    expect([...counts]).toEqual([4]);
  });

  describe("look at rows of the user's own conversations, however much was said there", () => {
    let explainer: Client;
    beforeAll(async () => {
      explainer = new Client({ connectionString: storage().url });
      await explainer.connect();
    });
    afterAll(() => explainer?.end());

    /** Rows looked at in each table by the statement that `ask` causes. */
    async function lookedAt(ask: () => Promise<unknown>, parameters: string[]): Promise<Map<string, number>> {
      wire.statements();
      await ask();
      const ours = wire.statements();
      expect(ours).toHaveLength(1);
      const explained = await explainer.query(`explain (analyze, format json) ${ours[0]}`, parameters);
      const rows = new Map<string, number>();
      walk(explained.rows[0]["QUERY PLAN"][0].Plan, rows);
      return rows;
    }

    test("standings, memberships, positions and direct conversations: with 1,000 messages as with 100,000", async () => {
      const [alice, bob] = await introduce(node.store, "alice", "bob");
      const { conversation } = await node.store.openDirect(alice.id, bob.id);
      const groups = [await openGroup(node.store, alice, bob), await openGroup(node.store, alice, bob)];
      await strangers(storage(), 5_000);
      const mine = [conversation.id, ...groups];
      const costs: Map<string, number>[][] = [];
      for (const total of [1_000, 100_000]) {
        for (const id of mine) await fill(storage(), id, bob, total);
        await query(storage(), sql`analyze`);
        expect(await node.store.standing(alice.id, conversation.id)).toMatchObject({ unread: total });
        costs.push([
          await lookedAt(() => node.store.standings(alice.id), [alice.id]),
          await lookedAt(() => node.store.standing(alice.id, groups[0] ?? ""), [alice.id, groups[0] ?? ""]),
          await lookedAt(() => node.store.memberships(alice.id), [alice.id, alice.id]),
          await lookedAt(() => node.store.positions(mine), [`{${mine.join(",")}}`]),
          await lookedAt(() => node.store.directConversation(alice.id, bob.id), [alice.id, bob.id, alice.id, bob.id]),
        ]);
      }
      expect(costs[0]).toEqual(costs[1]);
      const each = (count: number) =>
        new Map([
          ["members", count],
          ["conversations", count],
        ]);
      expect(costs[0]).toEqual([
        each(3),
        each(1),
        each(3),
        new Map([["conversations", 3]]),
        new Map([["conversations", 1]]),
      ]);
    }, 60_000);
  });
});

/** As many more members, all at once. */
async function crowd(storage: Storage, group: string, size: number): Promise<void> {
  await query(
    storage,
    sql`
    with crowd as (
      insert into users (id, username, name, first_name, last_name)
      select ${group} || n, ${group} || n, '', '', '' from generate_series(1, ${size}::integer) as n returning id
    ) insert into members (conversation_id, user_id, joined_seq, cursor_seq, cursor_count)
      select ${group}, id, 0, 0, 0 from crowd`,
  );
  await query(
    storage,
    sql`update conversations set members_count = members_count + ${size}::integer where id = ${group}`,
  );
}

/** Other people's direct conversations: so many that the planner does not read them all to find one. */
async function strangers(storage: Storage, count: number): Promise<void> {
  await query(
    storage,
    sql`
    insert into users (id, username, name, first_name, last_name)
    select 'stranger' || n, 'stranger' || n, '', '', '' from generate_series(1, ${count}::integer) as n`,
  );
  await query(
    storage,
    sql`
    insert into conversations (id, type, direct_low, direct_high, members_count)
    select 'of stranger' || n, 'direct', 'stranger' || n, 'stranger' || n, 1 from generate_series(1, ${count}::integer) as n`,
  );
  await query(
    storage,
    sql`
    insert into members (conversation_id, user_id, joined_seq, cursor_seq, cursor_count)
    select 'of stranger' || n, 'stranger' || n, 0, 0, 0 from generate_series(1, ${count}::integer) as n`,
  );
}

/** Brings the conversation to so many messages, all from `sender`. */
async function fill(storage: Storage, id: string, sender: Profile, total: number): Promise<void> {
  await query(
    storage,
    sql`
    insert into messages (id, conversation_id, seq, changed_seq, ordinal, sender_id, text, created_at)
    select ${id} || n, ${id}, n, n, n, ${sender.id}, '', now()
    from generate_series((select message_count + 1 from conversations where id = ${id}), ${total}::integer) as n`,
  );
  await query(
    storage,
    sql`update conversations set seq = ${total}::integer, message_count = ${total}::integer where id = ${id}`,
  );
  await query(
    storage,
    sql`
    update members set own_after = ${total}::integer where conversation_id = ${id} and user_id = ${sender.id}`,
  );
}

async function transactionId(storage: Storage): Promise<number> {
  const [row] = await query(storage, sql`select (txid_current() % 4294967296)::float8 as id`);
  return Number(row?.id);
}

/** Every row bears the transaction that wrote it. */
async function rowsWrittenSince(storage: Storage, before: number): Promise<Record<string, number>> {
  const written: Record<string, number> = {};
  for (const table of ["users", "conversations", "members", "messages", "changes"]) {
    const [row] = await query(
      storage,
      sql`
      select count(*)::float8 as count from ${sql.identifier(table)} where xmin::text::float8 > ${before}::float8`,
    );
    written[table] = Number(row?.count);
  }
  return written;
}

interface Plan {
  readonly "Relation Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Index Recheck"?: number;
  readonly Plans?: readonly Plan[];
}

function walk(plan: Plan, rows: Map<string, number>): void {
  const table = plan["Relation Name"];
  if (table !== undefined) {
    const removed = (plan["Rows Removed by Filter"] ?? 0) + (plan["Rows Removed by Index Recheck"] ?? 0);
    rows.set(table, (rows.get(table) ?? 0) + (plan["Actual Rows"] + removed) * plan["Actual Loops"]);
  }
  for (const child of plan.Plans ?? []) walk(child, rows);
}
