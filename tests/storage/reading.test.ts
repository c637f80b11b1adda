import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import { judge } from "../../server/core/messages.ts";
import type { Message, Profile } from "../../server/core/model.ts";
import type { Amendment, AmendOutcome, Store } from "../../server/core/store.ts";
import { describeStorage, draft, historyOf, introduce, openGroup, say } from "../support/storage.ts";

describeStorage("reading", (storage) => {
  test("moves the cursor to the newest message, or to the one named, and never back", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const group = await openGroup(store, alice, bob);
    const messages: Message[] = [];
    for (let sent = 0; sent < 4; sent += 1) messages.push(await say(store, alice, group));
    const [one, two, three, four] = messages;
    if (!one || !two || !three || !four) throw new Error("four were sent");
    await store.amend([pin(alice, one, true)], judge);
    const mark = { conversationId: group, user: bob, readAt: expect.any(String), asOf: 5, membersCount: 2 };
    expect(await store.amend([read(bob, group, two.id)], judge)).toEqual([
      { status: "read", mark: { ...mark, messageId: two.id, seq: 2, unread: 2, reads: 1 } },
    ]);
    const unchanged = { status: "unchanged", message: null };
    expect(await store.amend([read(bob, group, one.id), read(bob, group, two.id)], judge)).toEqual([
      unchanged,
      unchanged,
    ]);
    expect(await store.amend([read(bob, group, null)], judge)).toEqual([
      { status: "read", mark: { ...mark, messageId: four.id, seq: 4, unread: 0, reads: 2 } },
    ]);
    expect(await store.amend([read(bob, group, null)], judge)).toEqual([unchanged]);
    expect(await store.standing(bob.id, group)).toEqual({
      conversationId: group,
      userId: bob.id,
      cursor: 4,
      unread: 0,
      asOf: 5,
    });
    expect(await store.positions([group])).toEqual([
      { conversationId: group, seq: 5, membership: 0, reads: 2, membersCount: 2 },
    ]);
  });

  test("nothing to read is no change", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const group = await openGroup(store, alice);
    expect(await store.amend([read(alice, group, null)], judge)).toEqual([{ status: "unchanged", message: null }]);
  });

  test("several reads of one member in a batch are one move, to the furthest; each member moves for themselves", async () => {
    const { store } = storage();
    const [alice, bob, carol] = await introduce(store, "alice", "bob", "carol");
    const group = await openGroup(store, alice, bob, carol);
    const [one, two] = [await say(store, alice, group), await say(store, alice, group)];
    const outcomes = await store.amend(
      [read(bob, group, one.id), read(carol, group, one.id), read(bob, group, two.id), read(bob, group, one.id)],
      judge,
    );
    expect(statuses(outcomes)).toEqual(["unchanged", "read", "read", "unchanged"]);
    expect(outcomes[1]).toMatchObject({ mark: { seq: 1, unread: 1 } });
    expect(outcomes[2]).toMatchObject({ mark: { seq: 2, unread: 0 } });
    const reads = outcomes.flatMap((outcome) => (outcome.status === "read" ? outcome.mark.reads : []));
    expect(reads.toSorted()).toEqual([1, 2]);
  });

  test.each([
    ["the read first", (one: Amendment, other: Amendment) => [one, other]],
    ["the deletion first", (one: Amendment, other: Amendment) => [other, one]],
  ])(
    "a read and deletions in one batch, %s: what was deleted counts neither before nor behind the cursor",
    async (_, order) => {
      const { store } = storage();
      const [alice, bob] = await introduce(store, "alice", "bob");
      for (const [deleted, expected] of [
        [1, 2],
        [2, 2],
        [3, 1],
        [4, 1],
      ] as const) {
        const group = await openGroup(store, alice, bob);
        await store.send([1, 2, 3, 4].map(() => draft(alice, group)));
        const messages = await allOf(store, group);
        const [target, upTo] = [messages[deleted - 1], messages[1]];
        if (!target || !upTo) throw new Error("four were sent");
        const outcomes = await store.amend(order(read(bob, group, upTo.id), remove(alice, target)), judge);
        expect(outcomes.find(({ status }) => status === "read")).toMatchObject({
          mark: { seq: 2, asOf: 5, unread: expected },
        });
        expect(await store.standing(bob.id, group)).toMatchObject({ cursor: 2, asOf: 5, unread: expected });
        // And whatever lies behind the cursor is gone from the counters: the rest can be read away.
        expect(await store.amend([read(bob, group, null)], judge)).toMatchObject([{ mark: { unread: 0 } }]);
        await say(store, alice, group);
        expect(await store.standing(bob.id, group)).toMatchObject({ unread: 1 });
      }
    },
  );

  test("a deleted message is read like another", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const group = await openGroup(store, alice, bob);
    const [one] = [await say(store, alice, group), await say(store, alice, group)];
    await store.amend([remove(alice, one)], judge);
    expect(await store.standing(bob.id, group)).toMatchObject({ unread: 1 });
    expect(await store.amend([read(bob, group, one.id)], judge)).toMatchObject([{ mark: { seq: 1, unread: 1 } }]);
  });

  test("one's own messages never count, and sending reads nothing", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const group = await openGroup(store, alice, bob);
    await store.send([draft(alice, group), draft(bob, group), draft(alice, group), draft(bob, group)]);
    expect(await store.standing(bob.id, group)).toMatchObject({ cursor: 0, unread: 2 });
    const [, own] = await allOf(store, group);
    if (own === undefined) throw new Error("four were sent");
    await store.amend([remove(bob, own)], judge);
    expect(await store.standing(bob.id, group)).toMatchObject({ cursor: 0, unread: 2 });
    expect(await store.amend([read(bob, group, own.id)], judge)).toMatchObject([{ mark: { seq: 2, unread: 1 } }]);
  });

  test("standings are the user's conversations, each once", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const groups = [
      await openGroup(store, alice, bob),
      await openGroup(store, alice, bob),
      await openGroup(store, alice),
    ];
    await say(store, alice, groups[1] ?? "");
    const standings = await store.standings(bob.id);
    expect(standings).toHaveLength(2);
    expect(standings).toEqual(
      expect.arrayContaining([
        { conversationId: groups[0], userId: bob.id, cursor: 0, unread: 0, asOf: 0 },
        { conversationId: groups[1], userId: bob.id, cursor: 0, unread: 1, asOf: 1 },
      ]),
    );
    expect(await store.standing(bob.id, groups[2] ?? "")).toBeNull();
    expect(await store.standings(newId())).toEqual([]);
  });
});

function remove(by: Profile, { id }: Message) {
  return { kind: "delete", userId: by.id, conversationId: null, messageId: id } as const;
}

function pin(by: Profile, { id }: Message, pinned: boolean): Amendment {
  return { kind: "pin", userId: by.id, conversationId: null, messageId: id, pinned };
}

function read(by: Profile, conversationId: string, messageId: string | null): Amendment {
  return { kind: "read", userId: by.id, conversationId, messageId };
}

function statuses(outcomes: readonly AmendOutcome[]): string[] {
  return outcomes.map((outcome) => outcome.status);
}

/** Oldest first. */
async function allOf(store: Store, conversationId: string): Promise<Message[]> {
  return (await historyOf(store, { conversationId, before: null, after: null, limit: 1_000, pinned: false })).reverse();
}
