import { v7 as newId } from "uuid";
import { describe, expect, test } from "vitest";
import { judge } from "../../server/core/messages.ts";
import type { Message, Profile } from "../../server/core/model.ts";
import type { Amendment, AmendOutcome, Store } from "../../server/core/store.ts";
import { describeStorage, draft, historyOf, introduce, openGroup, say } from "../support/storage.ts";

describeStorage("amending", (storage) => {
  test("an edit is the next change of its conversation, and is what history then holds", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const group = await openGroup(store, alice, bob);
    const first = await say(store, alice, group, { attachments: ["https://a.example/1"] });
    await say(store, bob, group);
    const [outcome] = await store.amend([edit(alice, first, "new")], judge);
    const message = { ...first, text: "new", changedSeq: 3, editedAt: expect.any(String) };
    const actor = { id: alice.id, username: alice.username };
    const change = { type: "message_edited", conversationId: group, seq: 3, membership: 0, actor, message };
    expect(outcome).toEqual({ status: "changed", change });
    expect(await find(store, first)).toEqual(changedMessage(outcome));
    expect(await store.positions([group])).toMatchObject([{ seq: 3 }]);
  });

  test("a deletion leaves a tombstone: the place, the people and the times, and no content", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const group = await openGroup(store, alice, bob);
    const answered = await say(store, bob, group);
    const message = await say(store, bob, group, {
      clientId: "c",
      text: "secret",
      mediaUrl: "https://a.example/secret",
      mediaType: "IMAGE",
      messageType: "text",
      attachments: ["https://a.example/secret"],
      replyTo: answered.id,
      fileIdentifier: "secret",
      mediaUrlExpiration: "secret",
    });
    await store.amend([pin(bob, message, true), edit(bob, message, "secret still")], judge);
    const [outcome] = await store.amend([remove(alice, message)], judge);
    const tombstone = {
      ...message,
      text: "",
      mediaUrl: null,
      mediaType: null,
      messageType: null,
      attachments: [],
      replyTo: null,
      replyQuote: null,
      clientId: null,
      fileIdentifier: null,
      mediaUrlExpiration: null,
      changedSeq: 5,
      editedAt: expect.any(String),
      deletedAt: expect.any(String),
      deletedBy: { id: alice.id, username: alice.username },
    };
    expect(outcome).toMatchObject({ status: "changed", change: { type: "message_deleted", seq: 5 } });
    expect(changedMessage(outcome)).toEqual(tombstone);
    expect(await find(store, message)).toEqual(changedMessage(outcome));
    expect(JSON.stringify(await find(store, message))).not.toContain("secret");
  });

  test("a pin says who and when, and is taken back", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const group = await openGroup(store, alice, bob);
    const message = await say(store, alice, group);
    const [pinned] = await store.amend([pin(bob, message, true)], judge);
    const pinnedBy = { id: bob.id, username: bob.username };
    expect(pinned).toMatchObject({ change: { type: "message_pinned", seq: 2, pinned: true, actor: pinnedBy } });
    expect(changedMessage(pinned)).toEqual({ ...message, changedSeq: 2, pinnedAt: expect.any(String), pinnedBy });
    expect(await find(store, message)).toEqual(changedMessage(pinned));
    const [unpinned] = await store.amend([pin(alice, message, false)], judge);
    expect(unpinned).toMatchObject({ change: { type: "message_pinned", seq: 3, pinned: false } });
    expect(await find(store, message)).toEqual({ ...message, changedSeq: 3 });
  });

  test("what changes nothing takes no number", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const group = await openGroup(store, alice);
    const [one, two] = [await say(store, alice, group), await say(store, alice, group)];
    await store.amend([remove(alice, two)], judge);
    const outcomes = await store.amend(
      [edit(alice, one, one.text), pin(alice, one, false), remove(alice, two), pin(alice, two, false)],
      judge,
    );
    expect(statuses(outcomes)).toEqual(["unchanged", "unchanged", "unchanged", "unchanged"]);
    expect(outcomes[0]).toEqual({ status: "unchanged", message: one });
    expect(await store.positions([group])).toMatchObject([{ seq: 3 }]);
    expect(await store.changes(group, 3, 100, 100)).toEqual([]);
  });

  test("a batch is applied in its order, each amendment to what the one before it left", async () => {
    const { store } = storage();
    const [alice, bob] = await introduce(store, "alice", "bob");
    const group = await openGroup(store, alice, bob);
    const { conversation } = await store.openDirect(alice.id, bob.id);
    const [here, there] = [await say(store, alice, group), await say(store, bob, conversation.id)];
    const outcomes = await store.amend(
      [
        edit(alice, here, "1"),
        pin(bob, there, true),
        edit(alice, here, "1"),
        pin(bob, here, true),
        edit(alice, here, "2"),
        remove(bob, there),
        pin(bob, there, false),
        remove(alice, here),
        edit(alice, here, "3"),
      ],
      judge,
    );
    expect(statuses(outcomes)).toEqual([
      ...["changed", "changed", "unchanged", "changed", "changed", "changed", "unchanged", "changed", "forbidden"],
    ]);
    const seqs = outcomes.flatMap((outcome) => (outcome.status === "changed" ? outcome.change.seq : []));
    expect(seqs).toEqual([2, 2, 3, 4, 3, 5]);
    expect(outcomes.flatMap((outcome) => (outcome.status === "changed" ? outcome.change.message.text : []))).toEqual([
      "1",
      "hello",
      "1",
      "2",
      "",
      "",
    ]);
    expect(await find(store, here)).toMatchObject({ text: "", changedSeq: 5, pinnedAt: null });
    expect((await store.changes(group, 0, 100, 100)).map(({ type }) => type)).toEqual([
      ...["message_created", "message_edited", "message_pinned", "message_edited", "message_deleted"],
    ]);
  });

  describe("is forbidden alike", () => {
    test("for what is not there, is elsewhere, or is not the caller's to see", async () => {
      const { store } = storage();
      const [alice, bob] = await introduce(store, "alice", "bob");
      const [hers, his] = [await openGroup(store, alice), await openGroup(store, bob)];
      const message = await say(store, alice, hers);
      const always = () => "apply" as const;
      const outcomes = await store.amend(
        [
          { ...remove(alice, message), messageId: newId() },
          { ...remove(alice, message), conversationId: his },
          remove(bob, message),
          { kind: "read", userId: bob.id, conversationId: hers, messageId: null },
          { kind: "read", userId: bob.id, conversationId: his, messageId: message.id },
          { kind: "read", userId: alice.id, conversationId: hers, messageId: newId() },
          { kind: "read", userId: alice.id, conversationId: newId(), messageId: null },
        ],
        always,
      );
      expect(new Set(statuses(outcomes))).toEqual(new Set(["forbidden"]));
      await store.removeMember(hers, alice.id);
      expect(statuses(await store.amend([remove(alice, message)], always))).toEqual(["forbidden"]);
      expect(await store.positions([hers, his])).toEqual(
        expect.arrayContaining([expect.objectContaining({ seq: 1 }), expect.objectContaining({ seq: 0 })]),
      );
    });

    test("for what the judge forbids; and empty is empty", async () => {
      const { store } = storage();
      const [alice, bob] = await introduce(store, "alice", "bob");
      const group = await openGroup(store, alice, bob);
      const message = await say(store, alice, group);
      const outcomes = await store.amend([edit(bob, message, "new"), edit(alice, message, "")], judge);
      expect(statuses(outcomes)).toEqual(["forbidden", "empty"]);
      expect(await find(store, message)).toEqual(message);
    });
  });

  test("of messages with one id, without a conversation: one's own, one's group's, then the first", async () => {
    const { store } = storage();
    const [alice, bob, eve] = await introduce(store, "alice", "bob", "eve");
    const id = `chosen-${newId()}`;
    const [bobs, copied, unseen] = [
      await openGroup(store, bob, alice),
      await openGroup(store, eve, alice),
      await openGroup(store, eve),
    ];
    const hidden = await say(store, eve, unseen, { id, text: "hidden" });
    const first = await say(store, bob, bobs, { id, text: "first" });
    const copy = await say(store, eve, copied, { id, text: "copy" });
    const places = async (amendments: readonly Amendment[]) =>
      (await store.amend(amendments, () => "apply")).map((outcome) => changedMessage(outcome).conversationId);
    const change = (by: Profile, text: string): Amendment => ({
      kind: "edit",
      userId: by.id,
      conversationId: null,
      messageId: id,
      text,
    });
    expect(await places([pin(alice, first, true), change(eve, "eve's")])).toEqual([bobs, unseen]);
    expect(await places([remove(bob, first)])).toEqual([bobs]);
    const own = await openGroup(store, alice);
    await say(store, alice, own, { id, text: "hers" });
    expect(await places([change(alice, "new"), remove(alice, first)])).toEqual([own, own]);
    expect((await store.amend([edit(alice, copy, "x")], judge)).map(({ status }) => status)).toEqual(["forbidden"]);
    expect(await find(store, copy)).toEqual(copy);
    expect(await find(store, hidden)).toMatchObject({ text: "eve's" });
  });

  test("a retry of a deleted message is that message still, and its client id is told to nobody else", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const group = await openGroup(store, alice);
    const message = await say(store, alice, group, { clientId: "c", isStoryReply: true, messageType: "t" });
    await store.amend([remove(alice, message)], judge);
    const nothing = { clientId: null, messageType: null, isStoryReply: false, text: "" };
    expect(await find(store, message)).toMatchObject(nothing);
    const [again] = await store.send([draft(alice, group, { clientId: "c" })]);
    expect(again).toMatchObject({ status: "repeated", message: { ...nothing, id: message.id, clientId: "c" } });
    expect(await store.messagesFor(alice.id, group, [message.id])).toMatchObject([nothing]);
  });

  test("one that the database does not take leaves nothing of its batch behind", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const group = await openGroup(store, alice);
    const message = await say(store, alice, group);
    await expect(store.amend([pin(alice, message, true), edit(alice, message, "NUL: \0")], judge)).rejects.toThrow();
    expect(await find(store, message)).toEqual(message);
    expect(await store.positions([group])).toMatchObject([{ seq: 1 }]);
  });
});

function edit(by: Profile, { id, conversationId }: Message, text: string): Amendment {
  return { kind: "edit", userId: by.id, conversationId, messageId: id, text };
}

function remove(by: Profile, { id }: Message) {
  return { kind: "delete", userId: by.id, conversationId: null, messageId: id } as const;
}

function pin(by: Profile, { id }: Message, pinned: boolean): Amendment {
  return { kind: "pin", userId: by.id, conversationId: null, messageId: id, pinned };
}

function statuses(outcomes: readonly AmendOutcome[]): string[] {
  return outcomes.map((outcome) => outcome.status);
}

function changedMessage(outcome: AmendOutcome | undefined): Message {
  if (outcome?.status !== "changed") throw new Error(`nothing changed: ${outcome?.status}`);
  return outcome.change.message;
}

/** Oldest first. */
async function allOf(store: Store, conversationId: string): Promise<Message[]> {
  return (await historyOf(store, { conversationId, before: null, after: null, limit: 1_000, pinned: false })).reverse();
}

async function find(store: Store, { conversationId, id }: Message): Promise<Message | undefined> {
  return (await allOf(store, conversationId)).find((message) => message.id === id);
}
