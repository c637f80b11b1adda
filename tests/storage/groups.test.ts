import { sql } from "drizzle-orm";
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import type { MembershipChange } from "../../server/core/store.ts";
import { describeStorage, historyOf, introduce, openGroup, query, say } from "../support/storage.ts";

const LIMIT = 100;

describeStorage("groups", (storage) => {
  test("are made with their members, under the id that was chosen", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const id = `chosen-${newId()}`;
    const group = await store.createGroup({
      id,
      name: "Ærø 🚲",
      imageUrl: "https://a.example/i",
      creatorId: alice.id,
      memberIds: [alice.id, bob.id],
    });
    expect(group).toMatchObject({
      id,
      type: "group",
      name: "Ærø 🚲",
      imageUrl: "https://a.example/i",
      creatorId: alice.id,
      membersCount: 2,
      membership: 0,
      seq: 0,
    });
    expect(await store.conversation(id, bob.id)).toEqual({ conversation: group, isMember: true });
    expect(new Set(await store.members(id, LIMIT))).toEqual(new Set([alice, bob]));
    expect(await store.members(id, 1)).toHaveLength(1);
  });

  test("an id is one conversation's, also when many race to it", async () => {
    const { store } = storage();
    const { store: other } = await storage().otherNode();
    const [alice] = await introduce(store, "alice");
    const group = { id: newId(), name: "", imageUrl: null, creatorId: alice.id, memberIds: [alice.id] };
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 ? store : other).createGroup(group)),
    );
    expect(outcomes.filter((outcome) => outcome !== "taken")).toHaveLength(1);
    expect(await store.createGroup({ ...group, name: "again" })).toBe("taken");
    expect(await store.conversation(group.id, alice.id)).toMatchObject({ conversation: { name: "" }, isMember: true });
  });

  test("are renamed, and keep what was not given", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const id = await openGroup(store, alice);
    expect(await store.updateGroup(id, { name: "n" })).toMatchObject({ name: "n", imageUrl: null, membership: 0 });
    expect(await store.updateGroup(id, { imageUrl: "https://a.example/i" })).toMatchObject({ name: "n" });
    expect(await store.updateGroup(id, { imageUrl: null })).toMatchObject({ name: "n", imageUrl: null });
    expect(await store.updateGroup(newId(), { name: "n" })).toBeNull();
    const { conversation: direct } = await store.openDirect(alice.id, bob.id);
    expect(await store.updateGroup(direct.id, { name: "n" })).toBeNull();
  });

  test("take new members, pass over those present, and count each change of the membership", async () => {
    const { store } = storage();
    const [alice, bob, carol] = await introduce(store, "alice", "bob", "carol");
    const id = await openGroup(store, alice);
    const added = await membershipChange(store.addMembers(id, [alice.id, bob.id, carol.id], LIMIT));
    expect(new Set(added.users)).toEqual(new Set([bob, carol]));
    expect(added.conversation).toMatchObject({ membersCount: 3, membership: 1 });
    const again = await membershipChange(store.addMembers(id, [bob.id, alice.id], LIMIT));
    expect(again.users).toEqual([]);
    expect(again.conversation).toEqual(added.conversation);
    expect((await membershipChange(store.addMembers(id, [], LIMIT))).users).toEqual([]);
  });

  test("have a limit: who is one too many takes the others along", async () => {
    const { store } = storage();
    const [alice, bob, carol] = await introduce(store, "alice", "bob", "carol");
    const id = await openGroup(store, alice);
    expect(await store.addMembers(id, [bob.id, carol.id], 2)).toBe("too_many");
    expect(await store.members(id, LIMIT)).toEqual([alice]);
    expect(await store.addMembers(id, [bob.id, alice.id], 2)).toMatchObject({ conversation: { membersCount: 2 } });
    // Who is there already needs no room.
    expect(await store.addMembers(id, [alice.id, bob.id], 2)).toMatchObject({ users: [] });
  });

  test("the limit holds when many add at once, and each addition is told once", async () => {
    const { store } = storage();
    const { store: other } = await storage().otherNode();
    const [alice, ...others] = await introduce(store, "alice", ..."bcdefghi");
    const id = await openGroup(store, alice);
    const outcomes = await Promise.all(
      [...others, ...others].map(({ id: userId }, index) => (index % 2 ? store : other).addMembers(id, [userId], 6)),
    );
    const told = outcomes.flatMap((outcome) => (outcome === "too_many" ? [] : outcome.users));
    expect(told).toHaveLength(5);
    const members = await store.members(id, LIMIT);
    expect(new Set(members)).toEqual(new Set([alice, ...told]));
    expect(await store.conversation(id, alice.id)).toMatchObject({ conversation: { membersCount: 6, membership: 5 } });
  });

  test("somebody who goes is no member; a stranger cannot go", async () => {
    const { store } = storage();
    const [alice, bob, carol] = await introduce(store, "alice", "bob", "carol");
    const id = await openGroup(store, alice, bob);
    const gone = await store.removeMember(id, bob.id);
    expect(gone.users).toEqual([bob]);
    expect(gone.conversation).toMatchObject({ membersCount: 1, membership: 1, creatorId: alice.id });
    expect(await store.conversation(id, bob.id)).toMatchObject({ isMember: false });
    for (const stranger of [bob, carol]) {
      expect(await store.removeMember(id, stranger.id)).toEqual({ conversation: gone.conversation, users: [] });
    }
  });

  test("a creator who goes leaves the group to nobody, and does not get it back", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const id = await openGroup(store, alice, bob);
    expect((await store.removeMember(id, alice.id)).conversation).toMatchObject({ creatorId: null, membersCount: 1 });
    await store.addMembers(id, [alice.id], LIMIT);
    expect(await store.conversation(id, alice.id)).toMatchObject({ conversation: { creatorId: null } });
  });

  test("who left by themselves is invited, and is back when they add themselves", async () => {
    const { store } = storage();
    const [alice, bob, carol] = await introduce(store, "alice", "bob", "carol");
    const id = await openGroup(store, alice, bob);
    expect(await store.rejoin(id, carol.id, LIMIT)).toBe("not_invited");
    await store.removeMember(id, bob.id, true);
    expect(await store.rejoin(id, bob.id, LIMIT)).toBe("not_invited");
    expect(await store.addMembers(id, [bob.id, carol.id], LIMIT)).toMatchObject({ users: [carol], invited: [bob] });
    expect(await store.rejoin(id, bob.id, 2)).toBe("too_many");
    expect(await store.rejoin(id, bob.id, LIMIT)).toMatchObject({ users: [bob], conversation: { membersCount: 3 } });
    expect(await store.rejoin(id, bob.id, LIMIT)).toBe("not_invited");
  });

  test("in how many conversations everybody is stays counted", async () => {
    const { store } = storage();
    const { store: other } = await storage().otherNode();
    const [alice, bob, carol] = await introduce(store, "alice", "bob", "carol");
    const ids = await Promise.all(Array.from({ length: 6 }, () => openGroup(store, alice, bob)));
    const [first = ""] = ids;
    await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 ? store : other).openDirect(bob.id, alice.id)));
    await Promise.all(
      Array.from({ length: 10 }, (_, n) => (n % 2 ? store : other).addMembers(first, [carol.id], LIMIT)),
    );
    await Promise.all(ids.map((id) => store.removeMember(id, bob.id, true)));
    await store.openDirect(carol.id, carol.id);
    await expect(store.openDirect(alice.id, carol.id, 1)).rejects.toMatchObject({ code: "forbidden" });
    const counts = await query(
      storage(),
      sql`select user_id, conversations from conversation_counts
        where user_id in (${alice.id}, ${bob.id}, ${carol.id})`,
    );
    const counted = new Map(counts.map((row) => [row.user_id, row.conversations]));
    expect(counted).toEqual(
      new Map([
        [alice.id, 7],
        [bob.id, 1],
        [carol.id, 2],
      ]),
    );
  });

  test("who joins sees the history and starts with nothing unread; who comes back too", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const id = await openGroup(store, alice);
    await say(store, alice, id);
    await store.addMembers(id, [bob.id], LIMIT);
    const standing = { conversationId: id, userId: bob.id };
    expect(await store.standing(bob.id, id)).toEqual({ ...standing, cursor: 1, unread: 0, asOf: 1 });
    expect(
      await historyOf(store, { conversationId: id, before: null, after: null, limit: 9, pinned: false }),
    ).toHaveLength(1);
    await say(store, alice, id);
    await say(store, bob, id);
    expect(await store.standing(bob.id, id)).toEqual({ ...standing, cursor: 1, unread: 1, asOf: 3 });
    await store.removeMember(id, bob.id);
    expect(await store.standing(bob.id, id)).toBeNull();
    await store.addMembers(id, [bob.id], LIMIT);
    expect(await store.standing(bob.id, id)).toEqual({ ...standing, cursor: 3, unread: 0, asOf: 3 });
    expect(await store.memberships(bob.id)).toEqual([{ conversationId: id, from: 3, membership: 3, otherId: null }]);
  });

  test("only groups are managed", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const { conversation } = await store.openDirect(alice.id, alice.id);
    for (const id of [conversation.id, newId()]) {
      await expect(store.addMembers(id, [bob.id], LIMIT)).rejects.toThrow("to a group only");
      await expect(store.removeMember(id, alice.id)).rejects.toThrow("from a group only");
    }
  });
});

async function membershipChange(outcome: Promise<MembershipChange | "too_many">): Promise<MembershipChange> {
  const change = await outcome;
  if (change === "too_many") throw new Error("too many");
  return change;
}
