import { v7 as newId } from "uuid";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Conversations } from "../../server/core/conversations.ts";
import type { ConversationEvent, EventSink, UserEvent } from "../../server/core/events.ts";
import { Groups } from "../../server/core/groups.ts";
import { RateLimit } from "../../server/core/rate.ts";
import { introduce, openEmbedded, openGroup, profileOf, type Storage, say } from "../support/storage.ts";

let storage: Storage;
let groups: Groups;
let conversations: Conversations;
let emitted: (ConversationEvent | UserEvent)[];
const sink: EventSink = {
  emit: (events) => void emitted.push(...events),
  emitToUsers: (events) => void emitted.push(...events),
  doubt: () => {
    throw new Error("nothing is doubted here");
  },
};

beforeAll(async () => {
  storage = await openEmbedded();
  groups = new Groups({ store: storage.store, sink, maxMembers: 4, sendRate: new RateLimit(1000, 1000) });
  conversations = new Conversations(storage.store, sink);
});
beforeEach(() => {
  emitted = [];
});
afterAll(() => storage?.close());

const reference = ({ id, username }: { id: string; username: string }) => ({ id, username });
const request = { id: null, name: "g", imageUrl: null };
const refusal = (code: string) => expect.objectContaining({ name: "Refusal", code });

describe("groups", () => {
  test("are made of ids and usernames, each once, with their creator; each member is told", async () => {
    const [alice, bob] = await introduce(storage.store, "alice", "bob");
    const group = await groups.create(alice, { ...request, members: [bob.id, bob.username, alice.username] });
    expect(group).toMatchObject({ name: "g", creatorId: alice.id, membersCount: 2 });
    const joined = { type: "conversation_joined", conversationId: group.id, from: 0, membership: 0, otherId: null };
    expect(emitted).toEqual([alice, bob].map(({ id: userId }) => ({ ...joined, userId })));
  });

  test("are refused with a stranger, one too many, or a name that is taken", async () => {
    const [alice, bob, ...others] = await introduce(storage.store, "alice", "bob", "c", "d", "e");
    const make = (members: string[], id: string | null = null) => groups.create(alice, { ...request, id, members });
    await expect(make([bob.id, newId()])).rejects.toMatchObject({
      code: "invalid_frame",
      message: "members.1: no such user",
    });
    await expect(make([bob.id, ...others.map(({ id }) => id)])).rejects.toEqual(refusal("invalid_frame"));
    await expect(make([], bob.username)).rejects.toEqual(refusal("conflict"));
    await expect(make([], await openGroup(storage.store, bob))).rejects.toEqual(refusal("conflict"));
    expect(emitted).toEqual([]);
  });

  test("are changed by their creator; the same again is no news", async () => {
    const [alice, bob, carol] = await introduce(storage.store, "alice", "bob", "carol");
    const id = await openGroup(storage.store, alice, bob);
    await expect(groups.update(bob, id, { name: "n" })).rejects.toEqual(refusal("forbidden"));
    await expect(groups.update(carol, id, { name: "n" })).rejects.toEqual(refusal("not_found"));
    expect(await groups.update(alice, id, { name: "n" })).toMatchObject({ name: "n", imageUrl: null });
    await groups.update(alice, id, { name: "n", imageUrl: null });
    const common = { type: "group_updated", conversationId: id, creatorId: alice.id, actor: reference(alice) };
    expect(emitted).toEqual([{ ...common, name: "n", imageUrl: null }]);
  });

  test("take members from their creator; those present are passed over", async () => {
    const [alice, bob, carol] = await introduce(storage.store, "alice", "bob", "carol");
    const id = await openGroup(storage.store, alice, bob);
    await say(storage.store, alice, id);
    await expect(groups.add(bob, id, [carol.id])).rejects.toEqual(refusal("forbidden"));
    expect(await groups.add(alice, id, [bob.username])).toEqual([]);
    expect(emitted).toEqual([]);
    expect(await groups.add(alice, id, [bob.id, carol.id, carol.username])).toEqual([carol]);
    expect(emitted).toEqual([
      {
        type: "members_added",
        conversationId: id,
        users: [reference(carol)],
        actor: reference(alice),
        membership: 1,
        membersCount: 3,
      },
      { type: "conversation_joined", userId: carol.id, conversationId: id, from: 1, membership: 1, otherId: null },
    ]);
    const more = await introduce(storage.store, "d", "e");
    await expect(
      groups.add(
        alice,
        id,
        more.map((user) => user.id),
      ),
    ).rejects.toEqual(refusal("invalid_frame"));
  });

  test("lose members to their creator, and whoever leaves", async () => {
    const [alice, bob, carol] = await introduce(storage.store, "alice", "bob", "carol");
    const id = await openGroup(storage.store, alice, bob, carol);
    await expect(groups.remove(bob, id, carol.id)).rejects.toEqual(refusal("forbidden"));
    await expect(groups.remove(alice, id, newId())).rejects.toEqual(refusal("not_found"));
    await groups.remove(alice, id, carol.username);
    await expect(groups.remove(alice, id, carol.username)).rejects.toEqual(refusal("not_found"));
    await groups.remove(alice, id, alice.username);
    const removed = { type: "member_removed", conversationId: id };
    const left = { type: "conversation_left", conversationId: id };
    const [byAlice, second] = [reference(alice), { membership: 2, membersCount: 1, creatorId: bob.id }];
    expect(emitted).toEqual([
      { ...removed, user: reference(carol), actor: byAlice, membership: 1, membersCount: 2, creatorId: alice.id },
      { ...left, userId: carol.id, membership: 1 },
      { ...removed, user: byAlice, actor: byAlice, ...second },
      { ...left, userId: alice.id, membership: 2 },
    ]);
    await expect(groups.members(alice, id, 10)).rejects.toEqual(refusal("not_found"));
    expect(await groups.members(bob, id, 10)).toEqual([bob]);
  });

  test("a name that is one member's id and the creator's username means the member", async () => {
    const creator = profileOf("creator");
    const member = { ...profileOf("member"), id: creator.username };
    for (const user of [creator, member]) await storage.store.putUser(user);
    const id = await openGroup(storage.store, creator, member);
    await groups.remove(creator, id, member.id);
    expect(await groups.members(creator, id, 10)).toEqual([creator]);
  });

  test("direct conversations have no members to manage", async () => {
    const [alice, bob] = await introduce(storage.store, "alice", "bob");
    const { id } = (await storage.store.openDirect(alice.id, bob.id)).conversation;
    const forbidden = refusal("forbidden");
    await expect(groups.add(alice, id, [bob.id])).rejects.toEqual(forbidden);
    await expect(groups.remove(alice, id, alice.id)).rejects.toEqual(forbidden);
    await expect(groups.update(alice, id, { name: "n" })).rejects.toEqual(forbidden);
  });
});

describe("a room's name", () => {
  test("is a username: the direct conversation, made on first use and told to both", async () => {
    const [alice, bob] = await introduce(storage.store, "alice", "bob");
    expect(await conversations.find(alice, bob.username)).toEqual({ conversation: null, other: bob });
    const conversation = await conversations.open(alice, bob.username);
    const joined = { type: "conversation_joined", conversationId: conversation.id, from: 0, membership: 0 };
    expect(emitted).toEqual([
      { ...joined, userId: alice.id, otherId: bob.id },
      { ...joined, userId: bob.id, otherId: alice.id },
    ]);
    expect(await conversations.open(bob, alice.username)).toEqual(conversation);
    expect(await conversations.open(bob, conversation.id)).toEqual(conversation);
    expect(await conversations.find(bob, alice.username)).toEqual({ conversation });
    expect(emitted).toHaveLength(2);
  });

  test("one's own is the conversation with oneself, told once", async () => {
    const [alice] = await introduce(storage.store, "alice");
    const conversation = await conversations.open(alice, alice.username);
    expect(conversation.membersCount).toBe(1);
    expect(emitted).toMatchObject([{ userId: alice.id, otherId: alice.id }]);
  });

  test("or the id of a conversation one is in; else there is no such room, whatever there is", async () => {
    const [alice, bob, carol] = await introduce(storage.store, "alice", "bob", "carol");
    const id = await openGroup(storage.store, alice);
    expect(await conversations.open(alice, id)).toMatchObject({ id });
    const { conversation: theirs } = await storage.store.openDirect(alice.id, carol.id);
    const refusals = await Promise.all(
      [id, theirs.id, newId(), alice.id].map((room) => conversations.open(bob, room).catch((error: unknown) => error)),
    );
    for (const error of refusals) expect(error).toMatchObject({ code: "not_found", message: "no such room" });
    await expect(conversations.view(bob, id)).rejects.toEqual(refusal("not_found"));
  });

  test("is any of a direct conversation's names for its members, and a group's id alone", async () => {
    const [alice, bob, carol] = await introduce(storage.store, "alice", "bob", "carol");
    const { conversation } = await storage.store.openDirect(alice.id, bob.id);
    const named = (room: string) => conversations.isNamed(alice, conversation, room);
    for (const room of [conversation.id, alice.username, bob.username]) expect(await named(room)).toBe(true);
    for (const room of [carol.username, alice.id, newId()]) expect(await named(room)).toBe(false);
    const group = await groups.create(alice, { ...request, members: [bob.id] });
    expect(await conversations.isNamed(alice, group, group.id)).toBe(true);
    expect(await conversations.isNamed(alice, group, alice.username)).toBe(false);
  });
});
