import { v7 as newId } from "uuid";
import { describe, expect, test } from "vitest";
import type { Store } from "../../server/core/store.ts";
import { describeStorage, introduce, profileOf } from "../support/storage.ts";

describeStorage("a direct conversation", (storage) => {
  test("is made once, and is the same from either side", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    expect(await store.directConversation(alice.id, bob.id)).toBeNull();
    const { conversation, created } = await store.openDirect(alice.id, bob.id);
    expect(created).toBe(true);
    expect(conversation).toMatchObject({ type: "direct", name: "", creatorId: null, membersCount: 2, seq: 0 });
    expect(await store.openDirect(bob.id, alice.id)).toEqual({ conversation, created: false });
    expect(await store.directConversation(bob.id, alice.id)).toEqual(conversation);
    expect(await store.conversation(conversation.id, bob.id)).toEqual({ conversation, isMember: true });
    expect(await membersOf(store, conversation.id)).toEqual(new Set([alice.id, bob.id]));
  });

  test("with oneself has one member", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const { conversation } = await store.openDirect(alice.id, alice.id);
    expect(conversation).toMatchObject({ type: "direct", membersCount: 1 });
    expect(await store.directConversation(alice.id, alice.id)).toEqual(conversation);
    expect(await membersOf(store, conversation.id)).toEqual(new Set([alice.id]));
  });

  test("of others is not one's own", async () => {
    const { store } = storage();
    const [alice, bob, carol] = await introduce(store, "alice", "bob", "carol");
    const { conversation } = await store.openDirect(alice.id, bob.id);
    expect(await store.directConversation(alice.id, carol.id)).toBeNull();
    expect(await store.conversation(conversation.id, carol.id)).toEqual({ conversation, isMember: false });
    expect(await store.conversation(newId(), carol.id)).toBeNull();
  });

  describe("stays the only one when twenty open it at once", () => {
    /** Ids that orders disagree about: by locale, code unit and code point; and the same letter in two forms. */
    const PAIRS: readonly (readonly [string, string])[] = [
      ["a", "b"],
      ["self", "self"],
      ["Zoë", "zoe"],
      ["a-b", "ab"],
      ["a_b", "aB"],
      ["é", "e\u0301"],
      ["ﬀ", "𐀀"],
      ["😀", "\uffee"],
      ["用户一", "пользователь"],
      ["ا", "א"],
      ["10", "9"],
      [" ", "'\"\\"],
      ["ß", "ss"],
      ["x", "x".repeat(80)],
    ];

    test.each(PAIRS)("%j and %j", async (one, other) => {
      const { store } = storage();
      const { store: elsewhere } = await storage().otherNode();
      const stem = newId();
      const ids = [`${one}${stem}`, `${other}${stem}`] as const;
      for (const id of new Set(ids)) await store.putUser({ ...profileOf("racer"), id });
      const opened = await Promise.all(
        Array.from({ length: 20 }, (_, index) => {
          const [low, high] = index % 4 < 2 ? ids : ([ids[1], ids[0]] as const);
          return (index % 2 ? store : elsewhere).openDirect(low, high);
        }),
      );
      expect(new Set(opened.map(({ conversation }) => conversation.id)).size).toBe(1);
      expect(opened.filter(({ created }) => created)).toHaveLength(1);
      const [first] = opened;
      expect(await membersOf(store, first?.conversation.id ?? "")).toEqual(new Set(ids));
      expect(await store.directConversation(ids[1], ids[0])).toEqual(first?.conversation);
    });
  });
});

async function membersOf(store: Store, conversationId: string): Promise<Set<string>> {
  const members = await store.members(conversationId, 100);
  return new Set(members.map((member) => member.id));
}
