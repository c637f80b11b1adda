/** A list of any length is one parameter: PostgreSQL takes 65,535 in a statement. */
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { describeStorage, introduce, openGroup, query, say } from "../support/storage.ts";

const MANY = 70_000;

describeStorage("lists of 70,000 ids", (storage) => {
  test("are asked about in one statement, by everything that takes a list", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const group = await openGroup(store, alice);
    const message = await say(store, alice, group);
    const strange = Array.from({ length: MANY }, (_, index) => `nobody-"${index}\\`);
    const groups = [...strange, group];
    const people = [...strange, alice.id];
    expect(await store.positions(groups)).toMatchObject([{ conversationId: group, seq: 1 }]);
    expect(await store.memberOf(alice.id, groups)).toEqual([group]);
    expect(await store.viewsOf(alice.id, groups)).toMatchObject([{ id: group }]);
    expect((await store.sizesOf(groups, 100)).size).toBe(1);
    expect(await store.membersOf(groups, 100)).toMatchObject([{ conversationId: group }]);
    expect(await store.messagesFor(alice.id, group, [...strange, message.id])).toMatchObject([{ id: message.id }]);
    expect(await store.membersAmong(group, people)).toMatchObject({ userIds: [alice.id] });
    expect(await store.conversationCounts(people)).toEqual([{ userId: alice.id, conversations: 1 }]);
    expect(await store.usersByIdOrName(people)).toMatchObject([{ profile: alice }]);
    await store.markSeen(people);
    expect(await store.lastSeen(alice.id)).not.toBeNull();
  });

  test("are the conversations of one user, too", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    await query(
      storage(),
      sql`insert into conversations (id, type, members_count)
        select 'many-' || n, 'group', 1 from generate_series(1, ${MANY}) as n`,
    );
    await query(
      storage(),
      sql`insert into members (conversation_id, user_id, joined_seq, cursor_seq, cursor_count)
        select 'many-' || n, ${alice.id}, 0, 0, 0 from generate_series(1, ${MANY}) as n`,
    );
    const memberships = await store.memberships(alice.id);
    expect(memberships).toHaveLength(MANY);
    expect(await store.positions(memberships.map(({ conversationId }) => conversationId))).toHaveLength(MANY);
    expect((await store.views(alice.id, 10, null, 1_000_000)).views).toHaveLength(10);
  }, 60_000);
});
