import fc from "fast-check";
import { v7 as newId } from "uuid";
import { describe, expect, test } from "vitest";
import { judge } from "../../server/core/messages.ts";
import type { Message } from "../../server/core/model.ts";
import type { NewMessage, SendOutcome, Store } from "../../server/core/store.ts";
import { describeStorage, draft, historyOf, introduce, openGroup, say } from "../support/storage.ts";

describeStorage("sending", (storage) => {
  test("answers with what history then holds", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const group = await openGroup(store, alice, bob);
    await store.addMembers(group, [(await introduce(store, "carol"))[0].id], 10);
    const answered = await say(store, bob, group);
    const sent = draft(alice, group, {
      id: `chosen-${newId()}`,
      clientId: "client 1",
      text: "grüezi 👋",
      mediaUrl: "https://a.example/v",
      mediaType: "VIDEO",
      messageType: "text",
      attachments: ["https://a.example/1", { url: "https://a.example/2", sizes: [1, 2.5, null, true] }],
      replyTo: answered.id,
      isStoryReply: true,
      fileIdentifier: "file",
      mediaUrlExpiration: "tomorrow",
    });
    const [outcome] = await store.send([sent]);
    const { idFromClient: _, ...content } = sent;
    const { id, text, createdAt } = answered;
    const message = {
      ...content,
      replyQuote: { id, text, createdAt, senderId: bob.id, firstName: "", lastName: "", isDeleted: false },
      seq: 2,
      changedSeq: 2,
      createdAt: expect.any(String),
      editedAt: null,
      deletedAt: null,
      deletedBy: null,
      pinnedAt: null,
      pinnedBy: null,
    };
    const actor = { id: alice.id, username: alice.username };
    const change = { type: "message_created", conversationId: group, seq: 2, membership: 1, actor, message };
    expect(outcome).toEqual({ status: "stored", change });
    expect(outcome?.status === "stored" && outcome.change.message).toEqual((await historyIn(store, group))[0]);
  });

  test("an answer shows what it answers as it is, alone, among others and in several conversations", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const [group, elsewhere] = [await openGroup(store, alice, bob), await openGroup(store, alice, bob)];
    const long = await say(store, bob, group, { text: "é".repeat(1500) });
    const gone = await say(store, bob, elsewhere, { text: "gone" });
    const remove = { kind: "delete", userId: bob.id, conversationId: elsewhere, messageId: gone.id } as const;
    await store.amend([remove], () => "apply");
    const answer = (conversationId: string) =>
      draft(alice, conversationId, { replyTo: conversationId === group ? long.id : gone.id });
    const common = { senderId: bob.id, firstName: "", lastName: "" };
    const quotes = new Map([
      [group, { ...common, id: long.id, text: "é".repeat(1000), createdAt: long.createdAt, isDeleted: false }],
      [elsewhere, { ...common, id: gone.id, text: "", createdAt: gone.createdAt, isDeleted: true }],
    ]);
    for (const batch of [[group], [elsewhere], [group, group], [elsewhere, group, elsewhere]]) {
      const outcomes = await store.send([...batch.map(answer), draft(alice, batch[0] ?? "")]);
      const stored = outcomes.map((outcome) => (outcome.status === "stored" ? outcome.change.message : null));
      expect(stored.map((message) => message?.replyQuote)).toEqual([...batch.map((id) => quotes.get(id)), null]);
    }
    for (const message of await historyIn(store, group)) {
      expect(message.replyQuote).toEqual(message.replyTo === null ? null : quotes.get(group));
    }
    const [alone] = await store.send([answer(group)]);
    expect(alone).toMatchObject({ change: { message: { replyQuote: quotes.get(group) } } });
  });

  test("a chosen id is taken in its conversation alone", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const [hers, his] = [await openGroup(store, alice), await openGroup(store, bob, alice)];
    const id = `chosen-${newId()}`;
    await say(store, alice, hers, { id, text: "hers" });
    expect(await store.send([draft(bob, his, { id, text: "his" })])).toMatchObject([{ status: "stored" }]);
    expect(await store.send([draft(alice, his, { id })])).toEqual([{ status: "id_taken" }]);
    // An answer is to the message of its own conversation.
    const [answer] = await store.send([draft(bob, his, { replyTo: id })]);
    expect(answer).toMatchObject({ change: { message: { replyQuote: { text: "his" } } } });
    await store.amend([{ kind: "edit", userId: bob.id, conversationId: his, messageId: id, text: "new" }], judge);
    expect((await historyIn(store, hers)).map(({ text }) => text)).toEqual(["hers"]);
    expect(await store.changedSince(his, 2, 10)).toMatchObject({ changes: [{ messageId: id, seq: 3 }] });
    expect(await store.changes(his, 2, 3, 10)).toMatchObject([{ seq: 3, message: { text: "new" } }]);
  });

  test("keeps every text and every JSON as it came", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const [group, elsewhere] = [await openGroup(store, alice), await openGroup(store, alice)];
    // PostgreSQL has no NUL in a text, and the wire lets none in.
    const text = fc.string({ unit: "binary", maxLength: 40 }).map((value) => value.replaceAll("\0", "0"));
    const json = fc.jsonValue({ stringUnit: "grapheme" }).map((value) => JSON.parse(JSON.stringify(value)));
    await fc.assert(
      fc.asyncProperty(text, text, fc.array(json), async (said, clientId, values) => {
        const fields = { text: said, attachments: values.map((value) => ({ value })) };
        const drafted = (conversationId: string) =>
          draft(alice, conversationId, { ...fields, clientId: `${newId()} ${clientId}` });
        // Alone, with others in its conversation, and with others elsewhere: a statement for each.
        for (const batch of [[group], [group, group], [group, elsewhere]]) {
          const outcomes = await store.send(batch.map(drafted));
          const stored = outcomes.flatMap((outcome) => (outcome.status === "stored" ? outcome.change.message : []));
          expect(stored).toHaveLength(batch.length);
          for (const conversationId of new Set(batch)) {
            const inIt = stored.filter((message) => message.conversationId === conversationId).reverse();
            expect(await historyIn(store, conversationId, inIt.length)).toEqual(inIt);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test("numbers several conversations in one batch: 1, 2, 3, … in each, in the order given", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const groups = [await openGroup(store, alice, bob), await openGroup(store, bob, alice)];
    const { conversation: direct } = await store.openDirect(alice.id, bob.id);
    const ids = [...groups, direct.id];
    const expected = new Map(ids.map((id): [string, string[]] => [id, []]));
    for (const size of [1, 7, 30, 2]) {
      const batch = Array.from({ length: size }, (_, index) =>
        draft(index % 3 ? alice : bob, ids[(index * 7 + size) % 3] ?? "", { text: `${size}/${index}` }),
      );
      for (const { conversationId, text } of batch) expected.get(conversationId)?.push(text);
      const outcomes = await store.send(batch);
      expect(outcomes.map((outcome) => outcome.status === "stored" && outcome.change.message.text)).toEqual(
        batch.map(({ text }) => text),
      );
    }
    for (const id of ids) {
      const history = (await historyIn(store, id)).reverse();
      expect(history.map((message) => message.text)).toEqual(expected.get(id));
      expect(history.map((message) => message.seq)).toEqual(history.map((_, index) => index + 1));
      expectTimesInOrder(history);
    }
  });

  describe("refuses and recognises, each message for itself", () => {
    test("a stranger, also one to whom the conversation does not exist", async () => {
      const { store } = storage();
      const [alice, bob] = await introduce(store, "alice", "bob");
      const group = await openGroup(store, alice);
      const outcomes = await store.send([draft(bob, group), draft(alice, newId()), draft(alice, group)]);
      expect(statuses(outcomes)).toEqual(["not_a_member", "not_a_member", "stored"]);
      expect(await historyIn(store, group)).toHaveLength(1);
    });

    test("who has left, though their earlier message is known", async () => {
      const { store } = storage();
      const [alice, bob] = await introduce(store, "alice", "bob");
      const group = await openGroup(store, alice, bob);
      await say(store, bob, group, { clientId: "c" });
      await store.removeMember(group, bob.id);
      expect(statuses(await store.send([draft(bob, group, { clientId: "c" })]))).toEqual(["not_a_member"]);
    });

    test("a repetition: the first message, as it is now, and no number taken", async () => {
      const { store } = storage();
      const [alice, bob] = await introduce(store, "alice", "bob");
      const [group, elsewhere] = [await openGroup(store, alice, bob), await openGroup(store, alice)];
      const first = await say(store, alice, group, { clientId: "c", text: "first" });
      await store.amend(
        [{ kind: "edit", userId: alice.id, conversationId: null, messageId: first.id, text: "new" }],
        () => "apply",
      );
      const outcomes = await store.send([
        draft(alice, group, { clientId: "c", text: "again" }),
        draft(bob, group, { clientId: "c" }),
        draft(alice, elsewhere, { clientId: "c" }),
        draft(alice, group, { clientId: "C" }),
      ]);
      expect(statuses(outcomes)).toEqual(["repeated", "stored", "stored", "stored"]);
      expect(outcomes[0]).toMatchObject({ message: { id: first.id, text: "new", seq: 1, changedSeq: 2 } });
      expect((await historyIn(store, group)).map((message) => message.seq)).toEqual([4, 3, 1]);
    });

    test("an id that another message of the conversation has", async () => {
      const { store } = storage();
      const [alice, bob] = await introduce(store, "alice", "bob");
      const group = await openGroup(store, alice, bob);
      const { id } = await say(store, alice, group, { clientId: "c" });
      const outcomes = await store.send([
        draft(bob, group, { id }),
        draft(alice, group, { id }),
        // Whose message it is comes first.
        draft(alice, group, { id, clientId: "c" }),
      ]);
      expect(statuses(outcomes)).toEqual(["id_taken", "id_taken", "repeated"]);
    });

    test("an answer to what is not in this conversation", async () => {
      const { store } = storage();
      const [alice] = await introduce(store, "alice");
      const [group, elsewhere] = [await openGroup(store, alice), await openGroup(store, alice)];
      const { id } = await say(store, alice, group);
      const outcomes = await store.send([
        draft(alice, elsewhere, { replyTo: id }),
        draft(alice, group, { replyTo: newId() }),
        draft(alice, group, { replyTo: id }),
      ]);
      expect(statuses(outcomes)).toEqual(["unknown_reply", "unknown_reply", "stored"]);
      expect(outcomes[2]).toMatchObject({ change: { seq: 2 } });
    });
  });

  // One statement stores what is in one conversation, another what is in several.
  test.each([1, 2, 3])(
    "refuses each for its reason, and stores the rest in order, in %i conversations",
    async (count) => {
      const { store } = storage();
      const [alice, bob] = await introduce(store, "alice", "bob");
      const groups: string[] = [];
      while (groups.length < count) groups.push(await openGroup(store, alice));
      const expected: string[] = [];
      const batch: NewMessage[] = [];
      for (const group of groups) {
        const first = await say(store, alice, group, { clientId: "said" });
        const add = (status: string, message: NewMessage) => {
          expected.push(status);
          batch.push(message);
        };
        add("stored", draft(alice, group, { text: "one" }));
        add("not_a_member", draft(bob, group));
        add("repeated", draft(alice, group, { clientId: "said" }));
        add("stored", draft(alice, group, { text: "two", replyTo: first.id }));
        add("unknown_reply", draft(alice, group, { replyTo: newId() }));
        add("id_taken", draft(alice, group, { id: first.id }));
        add("stored", draft(alice, group, { text: "three" }));
      }
      expect(statuses(await store.send(batch))).toEqual(expected);
      for (const group of groups) {
        const history = await historyIn(store, group);
        expect(history.map(({ seq, text }) => [seq, text])).toEqual([
          [4, "three"],
          [3, "two"],
          [2, "one"],
          [1, expect.any(String)],
        ]);
        expect(await store.standing(alice.id, group)).toMatchObject({ unread: 0, asOf: 4 });
      }
    },
  );

  test("a message that the database does not take leaves nothing behind", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const group = await openGroup(store, alice);
    await expect(store.send([draft(alice, group), draft(alice, group, { text: "NUL: \0" })])).rejects.toThrow(
      /\\u0000|unicode/i,
    );
    expect(await store.positions([group])).toMatchObject([{ seq: 0 }]);
    expect(await say(store, alice, group)).toMatchObject({ seq: 1 });
  });
});

function historyIn(store: Store, conversationId: string, limit = 1_000): Promise<Message[]> {
  return historyOf(store, { conversationId, before: null, after: null, limit, pinned: false });
}

function statuses(outcomes: readonly SendOutcome[]): string[] {
  return outcomes.map((outcome) => outcome.status);
}

function expectTimesInOrder(messages: readonly Message[]): void {
  const times = messages.map((message) => message.createdAt);
  expect(times).toEqual([...times].sort());
}
