import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { judge } from "../../server/core/messages.ts";
import type { ConversationView } from "../../server/core/model.ts";
import { describeStorage, introduce, openGroup, query, say, viewsOf } from "../support/storage.ts";

describeStorage("a member's view of conversations", (storage) => {
  test("has the other person, the last message and what is unread", async () => {
    const { store } = storage();
    const [alice, bob, carol] = await introduce(store, "alice", "bob", "carol");
    const { conversation } = await store.openDirect(alice.id, bob.id);
    await say(store, alice, conversation.id);
    const last = await say(store, bob, conversation.id, { text: "last" });
    const view = { id: conversation.id, type: "direct", seq: 2, updatedAt: last.createdAt, lastMessage: last };
    expect(await store.view(conversation.id, alice.id)).toMatchObject({ ...view, otherUser: bob, unread: 1 });
    expect(await store.view(conversation.id, bob.id)).toMatchObject({ ...view, otherUser: alice, unread: 1 });
    expect(await store.view(conversation.id, carol.id)).toBeNull();
    expect(await store.view("nowhere", alice.id)).toBeNull();
  });

  test("with oneself names oneself, a group nobody", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const { conversation } = await store.openDirect(alice.id, alice.id);
    expect(await store.view(conversation.id, alice.id)).toMatchObject({
      otherUser: alice,
      lastMessage: null,
      unread: 0,
    });
    const group = await openGroup(store, alice, bob);
    expect(await store.view(group, bob.id)).toMatchObject({ otherUser: null, lastMessage: null, unread: 0 });
  });

  test("a deleted last message is there without content", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const group = await openGroup(store, alice, bob);
    const { id } = await say(store, alice, group);
    await store.amend([{ kind: "delete", userId: alice.id, conversationId: null, messageId: id }], judge);
    expect(await store.view(group, bob.id)).toMatchObject({ lastMessage: { id, text: "" }, unread: 0 });
  });

  test("lists groups from their making, direct ones from their first message", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const group = await openGroup(store, alice, bob);
    const { conversation } = await store.openDirect(alice.id, bob.id);
    const listed = async () => ids(await viewsOf(store, bob.id, 10, null));
    expect(await listed()).toEqual([group]);
    await say(store, alice, conversation.id);
    expect(new Set(await listed())).toEqual(new Set([group, conversation.id]));
    await store.removeMember(group, bob.id);
    expect(await listed()).toEqual([conversation.id]);
  });

  test("is newest first, and pages meet without gap or double, also where times are equal", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const groups: string[] = [];
    for (let made = 0; made < 7; made += 1) groups.push(await openGroup(store, alice));
    const times = [3, 1, 2, 2, 2, 2, 9];
    for (const [index, id] of groups.entries()) {
      const at = `2020-01-01T00:00:00.00${times[index]}Z`;
      await query(storage(), sql`update conversations set updated_at = ${at}::timestamptz where id = ${id}`);
    }
    const all = await viewsOf(store, alice.id, 10, null);
    const milliseconds = all.map(({ updatedAt }) => Number(updatedAt.slice(-4, -1)));
    expect(milliseconds).toEqual([9, 3, 2, 2, 2, 2, 1]);
    expect(new Set(ids(all))).toEqual(new Set(groups));
    for (const limit of [1, 2, 3]) {
      const paged: ConversationView[] = [];
      for (;;) {
        const page = await viewsOf(store, alice.id, limit, paged.at(-1) ?? null);
        expect(page.length).toBeLessThanOrEqual(limit);
        if (page.length === 0) break;
        paged.push(...page);
      }
      expect(paged).toEqual(all);
    }
  });

  test("a message brings its conversation to the top", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const [first, second] = [await openGroup(store, alice), await openGroup(store, alice)];
    await query(
      storage(),
      sql`update conversations set updated_at = updated_at - interval '1 hour' where id in (${first}, ${second})`,
    );
    await say(store, alice, first);
    expect(ids(await viewsOf(store, alice.id, 10, null))).toEqual([first, second]);
  });
});

function ids(views: readonly ConversationView[]): string[] {
  return views.map((view) => view.id);
}
