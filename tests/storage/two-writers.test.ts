/** Two nodes on one database, each with its own writer's connection. */
import { eq, sql } from "drizzle-orm";
import { Pool, type PoolClient } from "pg";
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { groupStore } from "../../db/groups.ts";
import { conversations } from "../../db/schema.ts";
import type { Profile } from "../../server/core/model.ts";
import type { SendOutcome } from "../../server/core/store.ts";
import {
  describeOnPostgres,
  draft,
  historyOf,
  introduce,
  openGroup,
  type StorageNode,
  say,
} from "../support/storage.ts";

describeOnPostgres("two writers", (storage) => {
  let one: StorageNode;
  let other: StorageNode;
  let bystander: Pool;

  beforeAll(async () => {
    one = storage();
    other = await storage().otherNode();
    bystander = new Pool({ connectionString: storage().url, max: 2 });
  });
  afterAll(() => bystander?.end());

  /** Resolves when so many statements wait for a lock. */
  async function waiting(count: number): Promise<void> {
    for (;;) {
      const { rows } = await bystander.query<{ waiting: number }>(`
        select count(*)::integer as waiting from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`);
      if (rows[0]?.waiting === count) return;
    }
  }

  /** While the conversations' rows are held, `work` runs; then they are given back. */
  function holding<T>(ids: readonly string[], work: () => Promise<T>): Promise<T> {
    return inTransaction(async (connection) => {
      await connection.query("select id from conversations where id = any($1) order by id for update", [ids]);
      return work();
    });
  }

  /** Of the bystander's. */
  async function inTransaction<T>(work: (connection: PoolClient) => Promise<T>): Promise<T> {
    const connection = await bystander.connect();
    try {
      await connection.query("begin");
      const result = await work(connection);
      await connection.query("commit");
      return result;
    } finally {
      // Closed, so that nothing is held any more, whatever was thrown.
      connection.release(true);
    }
  }

  test("send to the same conversations in opposite orders: no deadlock, no gap, no double", async () => {
    const [alice, bob] = await introduce(one.store, "alice", "bob");
    const groups = await Promise.all(Array.from({ length: 8 }, () => openGroup(one.store, alice, bob)));
    const rounds = 25;
    const run = async ({ store }: StorageNode, sender: Profile, order: readonly string[]) => {
      for (let round = 0; round < rounds; round += 1) {
        const outcomes = await store.send([...order, ...order].map((id) => draft(sender, id)));
        expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["stored"]));
      }
    };
    await Promise.all([run(one, alice, groups), run(other, bob, [...groups].reverse())]);
    for (const conversationId of groups) {
      const history = await historyOf(one.store, {
        conversationId,
        before: null,
        after: null,
        limit: 1_000,
        pinned: false,
      });
      const inOrder = history.reverse();
      expect(inOrder.map((message) => message.seq)).toEqual(
        Array.from({ length: 4 * rounds }, (_, index) => index + 1),
      );
      const times = inOrder.map((message) => message.createdAt);
      expect(times).toEqual([...times].sort());
      for (const { id } of [alice, bob]) {
        expect(await one.store.standing(id, conversationId)).toMatchObject({ unread: 2 * rounds });
      }
    }
  });

  test("amend what the other sends to: no deadlock, no gap", async () => {
    const [alice, bob] = await introduce(one.store, "alice", "bob");
    const groups = await Promise.all(Array.from({ length: 6 }, () => openGroup(one.store, alice, bob)));
    const firsts = await Promise.all(groups.map((group) => say(one.store, alice, group)));
    const rounds = 25;
    const sending = async () => {
      for (let round = 0; round < rounds; round += 1) await one.store.send(groups.map((id) => draft(alice, id)));
    };
    const amending = async () => {
      for (let round = 0; round < rounds; round += 1) {
        const pins = firsts.toReversed().map(({ id }) => {
          return { kind: "pin", userId: bob.id, conversationId: null, messageId: id, pinned: round % 2 === 0 } as const;
        });
        const reads = groups.map(
          (id) => ({ kind: "read", userId: bob.id, conversationId: id, messageId: null }) as const,
        );
        await other.store.amend([...pins, ...reads], () => "apply");
      }
    };
    await Promise.all([sending(), amending()]);
    for (const group of groups) {
      const changes = await one.store.changes(group, 0, Number.MAX_SAFE_INTEGER, 1_000);
      expect(changes.map((change) => change.seq)).toEqual(
        Array.from({ length: 1 + 2 * rounds }, (_, index) => index + 1),
      );
    }
  });

  test("the same client id at once: one is stored, one repeated", async () => {
    const [alice] = await introduce(one.store, "alice");
    const [group, quiet] = [await openGroup(one.store, alice), await openGroup(one.store, alice)];
    const clientIds = ["a", "b", "c"];
    const batch = () => [...clientIds.map((clientId) => draft(alice, group, { clientId })), draft(alice, quiet)];
    // Both statements have begun, so neither sees what the other will store.
    const sent = await holding([group], async () => {
      const batches = [one.store.send(batch()), other.store.send(batch())];
      await waiting(2);
      return { batches };
    });
    const outcomes = await Promise.all(sent.batches);
    const statuses = outcomes.map((batchOutcomes) => batchOutcomes.map(({ status }) => status).join());
    expect(statuses.toSorted()).toEqual(["repeated,repeated,repeated,stored", "stored,stored,stored,stored"]);
    const messageIds = outcomes.map((batchOutcomes) => batchOutcomes.slice(0, 3).map(messageIdOf));
    expect(messageIds[0]).toEqual(messageIds[1]);
    expect(await one.store.positions([group])).toMatchObject([{ seq: 3 }]);
    expect(await one.store.positions([quiet])).toMatchObject([{ seq: 2 }]);
  });

  test("each of many doubles in a batch may come from another commit", async () => {
    const [alice] = await introduce(one.store, "alice");
    const groups = await Promise.all(Array.from({ length: 4 }, () => openGroup(one.store, alice)));
    const clientId = "same";
    const { batch, singles } = await holding(groups, async () => {
      // The singles stand first in the line for each conversation, and the batch saw none of them.
      const single = other.store.send(groups.map((id) => draft(alice, id, { clientId })));
      await waiting(1);
      const whole = one.store.send(groups.map((id) => draft(alice, id, { clientId })));
      await waiting(2);
      return { batch: whole, singles: single };
    });
    expect((await singles).map(({ status }) => status)).toEqual(["stored", "stored", "stored", "stored"]);
    expect((await batch).map(({ status }) => status)).toEqual(["repeated", "repeated", "repeated", "repeated"]);
  });

  test("the same chosen message id at once in two conversations: both are stored, without a wait for each other", async () => {
    const [alice, bob] = await introduce(one.store, "alice", "bob");
    const [hers, his] = [await openGroup(one.store, alice), await openGroup(one.store, bob)];
    const id = newId();
    const { sent } = await holding([hers, his], async () => {
      const batches = [
        one.store.send([draft(alice, hers, { id }), draft(alice, hers)]),
        other.store.send([draft(bob, his, { id }), draft(bob, his)]),
      ];
      await waiting(2);
      return { sent: batches };
    });
    const statuses = (await Promise.all(sent)).map((outcomes) => outcomes.map(({ status }) => status).join());
    expect(statuses).toEqual(["stored,stored", "stored,stored"]);
  });

  test("the same chosen message id at once in one conversation: one is stored, the other's id is taken", async () => {
    const [alice, bob] = await introduce(one.store, "alice", "bob");
    const group = await openGroup(one.store, alice, bob);
    const id = newId();
    const { sent } = await holding([group], async () => {
      const batches = [
        one.store.send([draft(alice, group, { id }), draft(alice, group)]),
        other.store.send([draft(bob, group, { id }), draft(bob, group)]),
      ];
      await waiting(2);
      return { sent: batches };
    });
    const statuses = (await Promise.all(sent)).map((outcomes) => outcomes.map(({ status }) => status).join());
    expect(statuses.toSorted()).toEqual(["id_taken,stored", "stored,stored"]);
  });

  describe.each([
    ["alone", 0],
    ["beside others in their batch", 2],
  ])("%s", (_, others) => {
    /** Conversations of the sender's own, for messages that go along. */
    async function besides(sender: Profile): Promise<string[]> {
      const conversationIds: string[] = [];
      while (conversationIds.length < others) conversationIds.push(await openGroup(one.store, sender));
      return conversationIds;
    }

    test("who was removed while their message waited is no member", async () => {
      const [alice, bob] = await introduce(one.store, "alice", "bob");
      const group = await openGroup(one.store, alice, bob);
      const { sent } = await changingWhileWaiting(group, bob, await besides(bob), async (groups) => {
        await groups.removeMember(group, bob.id);
      });
      expect((await sent)[0]).toEqual({ status: "not_a_member" });
      expect((await sent).slice(1).every(({ status }) => status === "stored")).toBe(true);
      expect(await one.store.positions([group])).toMatchObject([{ seq: 0, membership: 1 }]);
    });

    test("who left and came back while their message waited has no message of their own unread", async () => {
      const [alice, bob] = await introduce(one.store, "alice", "bob");
      const group = await openGroup(one.store, alice, bob);
      const { sent } = await changingWhileWaiting(group, bob, await besides(bob), async (groups) => {
        await groups.removeMember(group, bob.id);
        await groups.addMembers(group, [bob.id], 10);
      });
      expect((await sent)[0]).toMatchObject({ status: "stored", change: { seq: 1, membership: 2 } });
      expect(await one.store.standing(bob.id, group)).toMatchObject({ unread: 0 });
      expect(await one.store.standing(alice.id, group)).toMatchObject({ unread: 1 });
    });
  });

  test("who read while their message waited has read what they read", async () => {
    const [alice, bob] = await introduce(one.store, "alice", "bob");
    const group = await openGroup(one.store, alice, bob);
    await one.store.send([draft(alice, group), draft(bob, group), draft(alice, group)]);
    const { sent, read } = await holding([group], async () => {
      const reading = other.store.amend(
        [{ kind: "read", userId: bob.id, conversationId: group, messageId: null }],
        () => "apply",
      );
      await waiting(1);
      const sending = one.store.send([draft(bob, group)]);
      await waiting(2);
      return { sent: sending, read: reading };
    });
    expect(await read).toMatchObject([{ status: "read", mark: { seq: 3, unread: 0, asOf: 3 } }]);
    expect(await sent).toMatchObject([{ status: "stored", change: { seq: 4 } }]);
    expect(await one.store.standing(bob.id, group)).toMatchObject({ cursor: 3, unread: 0, asOf: 4 });
  });

  /** A message of `sender` waits for the lock while `change` is made and committed. */
  function changingWhileWaiting(
    group: string,
    sender: Profile,
    besides: readonly string[],
    change: (groups: ReturnType<typeof groupStore>) => Promise<void>,
  ): Promise<{ sent: Promise<SendOutcome[]> }> {
    return other.database.drizzle.transaction(async (transaction) => {
      await transaction.select({ one: sql`1` }).from(conversations).where(eq(conversations.id, group)).for("update");
      const sent = one.store.send([group, ...besides].map((conversationId) => draft(sender, conversationId)));
      await waiting(1);
      await change(groupStore(transaction, newId));
      return { sent };
    });
  }
});

function messageIdOf(outcome: SendOutcome): string {
  switch (outcome.status) {
    case "stored":
      return outcome.change.message.id;
    case "repeated":
      if (outcome.message !== null) return outcome.message.id;
      throw new Error("the first message could not be read");
    default:
      throw new Error(`no message: ${outcome.status}`);
  }
}
