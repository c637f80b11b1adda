import { v7 as newId } from "uuid";
import { describe, expect, test } from "vitest";
import type { Catchup } from "../../server/core/catch-up.ts";
import type { Change } from "../../server/core/events.ts";
import { judge } from "../../server/core/messages.ts";
import type { Message, Profile } from "../../server/core/model.ts";
import type { Amendment, Store } from "../../server/core/store.ts";
import { describeStorage, draft, historyOf, introduce, openGroup, say } from "../support/storage.ts";

describeStorage("history", (storage) => {
  test("is paged both ways by seqs at creation, newest first", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const { group, messages } = await spoken(store, alice, 4);
    // The numbers of the messages: 1, 2, 3, 4, 6, 7.
    await store.amend([pinning(alice, messages[0], true)], judge);
    await store.send([draft(alice, group), draft(alice, group)]);
    const seqs = async (before: number | null, after: number | null, limit = 10) =>
      (await historyOf(store, { conversationId: group, before, after, limit, pinned: false })).map(({ seq }) => seq);
    expect(await seqs(null, null)).toEqual([7, 6, 4, 3, 2, 1]);
    expect(await seqs(null, null, 2)).toEqual([7, 6]);
    expect(await seqs(6, null, 2)).toEqual([4, 3]);
    expect(await seqs(5, null, 2)).toEqual([4, 3]);
    expect(await seqs(1, null)).toEqual([]);
    // The page right after, not the newest one.
    expect(await seqs(null, 2, 2)).toEqual([4, 3]);
    expect(await seqs(null, 7)).toEqual([]);
    expect(await seqs(7, 2)).toEqual([6, 4, 3]);
    expect(await seqs(7, 2, 2)).toEqual([6, 4]);
  });

  test("of what is pinned now", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const { group, messages } = await spoken(store, alice, 5);
    const [one, two, three, four] = messages;
    await store.amend(
      [one, two, three, four].map((message) => pinning(alice, message, true)),
      judge,
    );
    await store.amend([pinning(alice, two, false), deleting(alice, three)], judge);
    const pinned = (before: number | null, limit: number) =>
      historyOf(store, { conversationId: group, before, after: null, limit, pinned: true });
    expect((await pinned(null, 9)).map(({ seq }) => seq)).toEqual([4, 1]);
    expect((await pinned(null, 1)).map(({ seq }) => seq)).toEqual([4]);
    expect((await pinned(4, 9)).map(({ seq }) => seq)).toEqual([1]);
  });

  test("is the conversation's own, and empty where there is none", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const { group } = await spoken(store, alice, 2);
    await spoken(store, alice, 3);
    const page = { before: null, after: null, limit: 10, pinned: false };
    expect(await historyOf(store, { ...page, conversationId: group })).toHaveLength(2);
    expect(await historyOf(store, { ...page, conversationId: newId() })).toEqual([]);
  });
});

describeStorage("what delivery asks for", (storage) => {
  test("changes: one for each number, in order, with the message in its newest state", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const group = await openGroup(store, alice, bob);
    const emitted: Change[] = [];
    for (const outcome of await store.send([draft(alice, group), draft(bob, group)])) {
      if (outcome.status === "stored") emitted.push(outcome.change);
    }
    const [first, second] = emitted.map((change) => change.message);
    const amendments = [
      pinning(bob, first, true),
      editing(alice, first, "new"),
      deleting(bob, second),
      pinning(alice, first, false),
    ];
    for (const outcome of await store.amend(amendments, judge)) {
      if (outcome.status === "changed") emitted.push(outcome.change);
    }
    emitted.push({ ...created(await store.send([draft(alice, group)])) });
    const newest = new Map(emitted.map((change) => [change.message.id, change.message]));
    const expected = emitted.map((change) => ({ ...change, message: newest.get(change.message.id) }));
    expect(expected.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(await store.changes(group, 0, 7, 100)).toEqual(expected);
    // Every window and every limit, since creations and amendments are kept apart.
    for (let after = 0; after <= 7; after += 1) {
      for (let upTo = after; upTo <= 8; upTo += 1) {
        for (const limit of [1, 2, 3, 100]) {
          expect(await store.changes(group, after, upTo, limit)).toEqual(expected.slice(after, upTo).slice(0, limit));
        }
      }
    }
    expect(await store.changes(newId(), 0, 100, 100)).toEqual([]);
  });

  describe("changedSince", () => {
    test("says each changed message once, what is new about it, in the order of its last change", async () => {
      const { store } = storage();
      const [alice, bob] = await introduce(store, "alice", "bob");
      const group = await openGroup(store, alice, bob);
      const old = (await Promise.all(Array.from({ length: 7 }, () => say(store, alice, group)))).toSorted(
        (one, other) => one.seq - other.seq,
      );
      const [edited, pinned, unpinned, both, deleted, , back] = old;
      await store.amend([pinning(alice, unpinned, true)], judge);
      const { present: since } = await store.changedSince(group, 0, 100);
      const fresh = await say(store, alice, group);
      const [freshEdited, freshDeleted] = [await say(store, alice, group), await say(store, bob, group)];
      await store.amend(
        [
          editing(alice, edited, "new"),
          pinning(bob, pinned, true),
          pinning(bob, unpinned, false),
          pinning(bob, both, true),
          pinning(bob, freshEdited, true),
          editing(alice, both, "new"),
          pinning(bob, deleted, true),
          editing(alice, deleted, "new"),
          deleting(alice, deleted),
          deleting(bob, freshDeleted),
          editing(alice, freshEdited, "new"),
          pinning(alice, back, true),
          pinning(bob, back, false),
        ],
        judge,
      );
      const catchup = await store.changedSince(group, since, 100);
      const [byBob, byAlice] = [bob, alice].map(({ id, username }) => ({ id, username }));
      expect(found(catchup)).toEqual([
        [fresh.id, "created", null],
        [edited?.id, "edited", null],
        [pinned?.id, "pinned", byBob],
        [unpinned?.id, "pinned", byBob],
        [both?.id, "edited_and_pinned", byBob],
        [deleted?.id, "deleted", byBob],
        [freshDeleted.id, "deleted", null],
        [freshEdited.id, "created", byBob],
        [back?.id, "pinned", byBob],
      ]);
      expect(catchup.present).toBe(since + 3 + 13);
      const history = await historyOf(store, {
        conversationId: group,
        before: null,
        after: null,
        limit: 100,
        pinned: false,
      });
      const stored = new Map(history.map((message) => [message.id, message]));
      if (catchup.status !== "complete") throw new Error(catchup.status);
      const { changes } = catchup;
      for (const { messageId, seq } of changes) expect(seq).toBe(stored.get(messageId)?.changedSeq);
      const changedSeqs = changes.map(({ seq }) => seq);
      expect(changedSeqs).toEqual([...changedSeqs].sort((one, other) => one - other));
      // Who pinned last is who is told of.
      await store.amend([pinning(alice, back, true)], judge);
      expect(found(await store.changedSince(group, since, 100)).at(-1)).toEqual([back?.id, "pinned", byAlice]);
    });

    test("nothing changed", async () => {
      const { store } = storage();
      const [alice] = await introduce(store, "alice");
      const { group } = await spoken(store, alice, 2);
      expect(await store.changedSince(group, 2, 100)).toEqual({ status: "complete", present: 2, changes: [] });
      const empty = await openGroup(store, alice);
      expect(await store.changedSince(empty, 0, 100)).toEqual({ status: "complete", present: 0, changes: [] });
    });

    test("beyond the present seq", async () => {
      const { store } = storage();
      const [alice] = await introduce(store, "alice");
      const { group } = await spoken(store, alice, 2);
      expect(await store.changedSince(group, 3, 100)).toEqual({ status: "unknown_seq", present: 2 });
    });

    test("more messages than the limit, new or amended, are too many; changes of one message are not", async () => {
      const { store } = storage();
      const [alice] = await introduce(store, "alice");
      const { group, messages } = await spoken(store, alice, 3);
      expect(await store.changedSince(group, 0, 3)).toMatchObject({ status: "complete" });
      expect(await store.changedSince(group, 0, 2)).toEqual({ status: "too_many", present: 3 });
      await store.amend(
        messages.map((message) => pinning(alice, message, true)),
        judge,
      );
      expect(await store.changedSince(group, 3, 2)).toEqual({ status: "too_many", present: 6 });
      expect(await store.changedSince(group, 3, 3)).toMatchObject({ status: "complete" });
      const [first] = messages;
      await store.amend(
        Array.from({ length: 9 }, (_, index) => pinning(alice, first, index % 2 === 1)),
        judge,
      );
      const catchup = await store.changedSince(group, 6, 1);
      expect(found(catchup)).toEqual([[first?.id, "pinned", { id: alice.id, username: alice.username }]]);
    });
  });

  test("positions of those that exist", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const { group } = await spoken(store, alice, 2);
    await store.addMembers(group, [bob.id], 10);
    await store.amend([{ kind: "read", userId: alice.id, conversationId: group, messageId: null }], judge);
    expect(await store.positions([group, newId()])).toEqual([
      { conversationId: group, seq: 2, membership: 1, reads: 1, membersCount: 2 },
    ]);
    expect(await store.positions([])).toEqual([]);
  });

  test("memberships: where, since when, by which version, and with whom", async () => {
    const { store } = storage();
    const [alice, bob, carol] = await introduce(store, "alice", "bob", "carol");
    const { group } = await spoken(store, alice, 2);
    await store.addMembers(group, [bob.id, carol.id], 10);
    await store.removeMember(group, carol.id);
    const { conversation: direct } = await store.openDirect(bob.id, alice.id);
    const { conversation: self } = await store.openDirect(bob.id, bob.id);
    const memberships = await store.memberships(bob.id);
    expect(memberships).toHaveLength(3);
    expect(memberships).toEqual(
      expect.arrayContaining([
        { conversationId: group, from: 2, membership: 2, otherId: null },
        { conversationId: direct.id, from: 0, membership: 0, otherId: alice.id },
        { conversationId: self.id, from: 0, membership: 0, otherId: bob.id },
      ]),
    );
    expect(await store.memberships(carol.id)).toEqual([]);
  });

  test("conversationCounts: for each of many users, unless there is none", async () => {
    const { store } = storage();
    const [alice, bob, carol, dave] = await introduce(store, "alice", "bob", "carol", "dave");
    const group = await openGroup(store, alice, bob, carol);
    await store.removeMember(group, carol.id);
    await store.openDirect(bob.id, alice.id);
    await store.openDirect(bob.id, bob.id);
    const counts = await store.conversationCounts([bob.id, carol.id, dave.id, alice.id, newId()]);
    expect(new Map(counts.map(({ userId, conversations }) => [userId, conversations]))).toEqual(
      new Map([
        [alice.id, 2],
        [bob.id, 3],
      ]),
    );
    expect(await store.conversationCounts([])).toEqual([]);
  });

  test("membersAmong: who of them is there, and by which version", async () => {
    const { store } = storage();
    const [alice, bob, carol] = await introduce(store, "alice", "bob", "carol");
    const group = await openGroup(store, alice, bob, carol);
    await store.removeMember(group, carol.id);
    const among = await store.membersAmong(group, [alice.id, bob.id, carol.id, newId()]);
    expect({ ...among, userIds: new Set(among.userIds) }).toEqual({
      membership: 1,
      userIds: new Set([alice.id, bob.id]),
    });
    expect(await store.membersAmong(group, [])).toEqual({ membership: 1, userIds: [] });
    expect(await store.membersAmong(newId(), [alice.id])).toEqual({ membership: 0, userIds: [] });
  });
});

async function spoken(store: Store, sender: Profile, count: number): Promise<{ group: string; messages: Message[] }> {
  const group = await openGroup(store, sender);
  const messages: Message[] = [];
  while (messages.length < count) messages.push(await say(store, sender, group));
  return { group, messages };
}

function created([outcome]: Awaited<ReturnType<Store["send"]>>): Change {
  if (outcome?.status !== "stored") throw new Error(`not stored: ${outcome?.status}`);
  return outcome.change;
}

function found(catchup: Catchup) {
  if (catchup.status !== "complete") throw new Error(catchup.status);
  return catchup.changes.map(({ messageId, kind, pinActor }) => [messageId, kind, pinActor]);
}

function editing(by: Profile, message: Message | undefined, text: string): Amendment {
  return { kind: "edit", userId: by.id, conversationId: null, messageId: message?.id ?? "", text };
}

function deleting(by: Profile, message: Message | undefined): Amendment {
  return { kind: "delete", userId: by.id, conversationId: null, messageId: message?.id ?? "" };
}

function pinning(by: Profile, message: Message | undefined, pinned: boolean): Amendment {
  return { kind: "pin", userId: by.id, conversationId: null, messageId: message?.id ?? "", pinned };
}
