import { sql } from "drizzle-orm";
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Conversations } from "../../server/core/conversations.ts";
import type { ConversationEvent, EventSink, UserEvent } from "../../server/core/events.ts";
import { Groups } from "../../server/core/groups.ts";
import type { Profile } from "../../server/core/model.ts";
import { RateLimit } from "../../server/core/rate.ts";
import { introduce, openEmbedded, openGroup, profileOf, query, type Storage, say } from "../support/storage.ts";

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

  test("are refused with a stranger, one too many, or the id of a conversation of the creator's", async () => {
    const [alice, bob, ...others] = await introduce(storage.store, "alice", "bob", "c", "d", "e");
    const make = (members: string[], id: string | null = null) => groups.create(alice, { ...request, id, members });
    await expect(make([bob.id, newId()])).rejects.toMatchObject({
      code: "invalid_frame",
      message: "members.1: no such user",
    });
    await expect(make([bob.id, ...others.map(({ id }) => id)])).rejects.toEqual(refusal("invalid_frame"));
    await expect(make([], await openGroup(storage.store, bob, alice))).rejects.toEqual(refusal("conflict"));
    expect(emitted).toEqual([]);
  });

  test("[ROOMS-8] get an id of the server's where the one asked for is a person's name or a foreign conversation's", async () => {
    const [alice, bob] = await introduce(storage.store, "alice", "bob");
    const foreign = await openGroup(storage.store, bob);
    for (const id of [bob.username, foreign]) {
      const made = await groups.create(alice, { ...request, id, members: [] });
      expect(made).toMatchObject({ idChosen: false, creatorId: alice.id });
      expect(made.id).not.toBe(id);
    }
    const id = `chosen-${newId()}`;
    expect(await groups.create(alice, { ...request, id, members: [] })).toMatchObject({ id, idChosen: true });
    expect(await storage.store.members(foreign, 10)).toEqual([bob]);
  });

  test.each([
    ["\u200b", "nothing to see"],
    ["  \u3164 ", "nothing to see"],
    ["\u2800", "nothing to see"],
    ["\u202egnp.exe", "text that is turned around"],
    ["a\nb", "a line end"],
    ["\u2067x", "an isolate"],
  ])("[AUTH-9] have no name such as %j: %s", async (name) => {
    const [alice] = await introduce(storage.store, "alice");
    await expect(groups.create(alice, { ...request, name, members: [] })).rejects.toEqual(refusal("invalid_frame"));
    const id = await openGroup(storage.store, alice);
    await expect(groups.update(alice, id, { name })).rejects.toEqual(refusal("invalid_frame"));
  });

  test("have the name that was given, normalized and without blanks around it", async () => {
    const [alice] = await introduce(storage.store, "alice");
    for (const [given, name] of [
      ["  Re\u0301union ", "Réunion"],
      ["👩‍👩‍👧 فارسی می‌خواهم ❤️", "👩‍👩‍👧 فارسی می‌خواهم ❤️"],
    ] as const) {
      expect(await groups.create(alice, { ...request, name: given, members: [] })).toMatchObject({ name });
    }
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
    expect(await groups.add(alice, id, [bob.username])).toEqual({ added: [], invited: [] });
    expect(emitted).toEqual([]);
    expect(await groups.add(alice, id, [bob.id, carol.id, carol.username])).toEqual({ added: [carol], invited: [] });
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
    const [byAlice, second] = [reference(alice), { membership: 2, membersCount: 1, creatorId: null }];
    expect(emitted).toEqual([
      { ...removed, user: reference(carol), actor: byAlice, membership: 1, membersCount: 2, creatorId: alice.id },
      { ...left, userId: carol.id, membership: 1 },
      { ...removed, user: byAlice, actor: byAlice, ...second },
      { ...left, userId: alice.id, membership: 2 },
    ]);
    await expect(groups.members(alice, id, 10)).rejects.toEqual(refusal("not_found"));
    expect(await groups.members(bob, id, 10)).toEqual([bob]);
  });

  test("a name that is one member's id and the creator's username, as it once could be, means the member", async () => {
    const [creator] = await introduce(storage.store, "creator");
    const member = { ...profileOf("member"), id: creator.username };
    await query(
      storage,
      sql`insert into users (id, username, name, first_name, last_name)
        values (${member.id}, ${member.username}, ${member.name}, '', '')`,
    );
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

describe("who left a group", () => {
  const put = async () => {
    const [alice, bob] = await introduce(storage.store, "alice", "bob");
    const id = await openGroup(storage.store, alice, bob);
    return { alice, bob, id };
  };

  test("[ROOMS-16] is not put back by another, but invited, and comes back by adding themselves", async () => {
    const { alice, bob, id } = await put();
    await groups.remove(bob, id, bob.id);
    await expect(groups.add(bob, id, [bob.id])).rejects.toEqual(refusal("not_found"));
    emitted = [];
    expect(await groups.add(alice, id, [bob.id])).toEqual({ added: [], invited: [bob] });
    expect(emitted).toEqual([]);
    expect(await groups.members(alice, id, 10)).toEqual([alice]);
    expect(await groups.add(bob, id, [bob.username])).toEqual({ added: [bob], invited: [] });
    expect(await groups.members(bob, id, 10)).toEqual([alice, bob]);
    expect(emitted).toMatchObject([
      { type: "members_added", users: [reference(bob)], actor: reference(bob), membership: 2, membersCount: 2 },
      { type: "conversation_joined", userId: bob.id },
    ]);
    // The invitation was for this once.
    await groups.remove(bob, id, bob.id);
    await expect(groups.add(bob, id, [bob.id])).rejects.toEqual(refusal("not_found"));
  });

  test("[ROOMS-16] and was removed, or never in it, is added by the creator, and not by themselves", async () => {
    const { alice, bob, id } = await put();
    await groups.remove(alice, id, bob.id);
    await expect(groups.add(bob, id, [bob.id])).rejects.toEqual(refusal("not_found"));
    expect(await groups.add(alice, id, [bob.id])).toEqual({ added: [bob], invited: [] });
    const [eve] = await introduce(storage.store, "eve");
    for (const name of [eve.id, eve.username]) {
      await expect(groups.add(eve, id, [name])).rejects.toEqual(refusal("not_found"));
    }
  });

  test("[ROOMS-11] and made it leaves it to nobody: none can manage it, all can leave", async () => {
    const { alice, bob, id } = await put();
    await groups.remove(alice, id, alice.id);
    const forbidden = refusal("forbidden");
    await expect(groups.add(bob, id, [alice.id])).rejects.toEqual(forbidden);
    await expect(groups.update(bob, id, { name: "n" })).rejects.toEqual(forbidden);
    await groups.remove(bob, id, bob.id);
    expect(await storage.store.members(id, 10)).toEqual([]);
  });
});

describe("a group made once", () => {
  test("[ROOMS-9] is found by its maker for the same people, and for nobody else", async () => {
    const [alice, bob, carol, eve] = await introduce(storage.store, "alice", "bob", "carol", "eve");
    const asked = { name: "g", imageUrl: null, members: [bob.id, carol.id] };
    const first = await groups.createOnce(alice, "m-1", asked);
    expect(await groups.createOnce(alice, "m-1", { ...asked, members: [carol.username, bob.id] })).toEqual(first);
    const others = [
      await groups.createOnce(alice, "m-2", asked),
      await groups.createOnce(alice, "m-1", { ...asked, members: [bob.id] }),
      await groups.createOnce(eve, "m-1", { ...asked, members: [alice.id, bob.id, carol.id] }),
    ];
    expect(new Set([first, ...others].map(({ id }) => id)).size).toBe(4);
    // Who left is missed by nobody.
    await groups.remove(carol, first.id, carol.id);
    expect(await groups.createOnce(alice, "m-1", asked)).toMatchObject({ id: first.id, membersCount: 2 });
  });

  test("[ROOMS-9] is made anew when somebody else is in it by now, or its maker is not", async () => {
    const [alice, bob, spy] = await introduce(storage.store, "alice", "bob", "spy");
    const asked = { name: "g", imageUrl: null, members: [bob.id] };
    const first = await groups.createOnce(alice, "m-1", asked);
    await groups.add(alice, first.id, [spy.id]);
    const second = await groups.createOnce(alice, "m-1", asked);
    expect(second.id).not.toBe(first.id);
    expect(await groups.members(alice, second.id, 10)).toEqual([alice, bob]);
    await groups.remove(alice, first.id, alice.id);
    expect((await groups.createOnce(alice, "m-1", asked)).id).not.toBe(first.id);
  });

  test("[ROOMS-9] is one, however many ask at once", async () => {
    const [alice, bob] = await introduce(storage.store, "alice", "bob");
    const asked = { name: "g", imageUrl: null, members: [bob.id] };
    const made = await Promise.all(Array.from({ length: 8 }, () => groups.createOnce(alice, "m-1", asked)));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  });
});

describe("limits", () => {
  const limited = (limits: Partial<ConstructorParameters<typeof Groups>[0]>) =>
    new Groups({ store: storage.store, sink, maxMembers: 4, sendRate: new RateLimit(1000, 1000), ...limits });
  const make = (of: Groups, creator: Profile, ...members: Profile[]) =>
    of.create(creator, { ...request, members: members.map(({ id }) => id) });

  test("[LIMIT-12] nobody is in more conversations than they may be; whose are too many is not said", async () => {
    const [alice, bob, carol] = await introduce(storage.store, "alice", "bob", "carol");
    const two = limited({ conversationsPerUser: 2 });
    const first = await make(two, alice, bob);
    await make(two, carol, bob);
    const full = { code: "forbidden", message: expect.stringContaining("2 conversations") };
    await expect(make(two, alice, bob)).rejects.toMatchObject(full);
    const { id } = await make(two, alice);
    await expect(two.add(alice, id, [bob.id])).rejects.toMatchObject(full);
    const direct = new Conversations(storage.store, sink, { perUser: 2 });
    await expect(direct.open(carol, bob.username)).rejects.toMatchObject(full);
    await expect(direct.openWith(carol, bob.id)).rejects.toMatchObject(full);
    // Alice is in two, and what was refused counts for nothing.
    await direct.open(carol, carol.username);
    await two.remove(bob, first.id, bob.id);
    await two.add(alice, id, [bob.id]);
    await expect(make(two, alice, carol)).rejects.toMatchObject(full);
  });

  test("[LIMIT-12] nor when many put them into some at once", async () => {
    const makers = await introduce(storage.store, "a", "b", "c", "d", "e", "f");
    const [victim] = await introduce(storage.store, "victim");
    const three = limited({ conversationsPerUser: 3 });
    const made = await Promise.allSettled(makers.map((maker) => make(three, maker, victim)));
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    expect(await storage.store.memberships(victim.id)).toHaveLength(3);
  });

  test("[LIMIT-13] a user makes so many groups a day, whatever becomes of them, and is told when the next one may be", async () => {
    const [alice, bob] = await introduce(storage.store, "alice", "bob");
    const two = limited({ groupsPerDay: 2 });
    const made = await Promise.allSettled(Array.from({ length: 5 }, () => make(two, alice)));
    const [first] = made.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    await two.remove(alice, first?.id ?? "", alice.id);
    // Also on a node that was started just now.
    const refused = await make(limited({ groupsPerDay: 2 }), alice).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "rate_limited", message: expect.stringContaining("GROUPS_PER_DAY") });
    const { retryAfter } = refused as { retryAfter: number };
    expect(retryAfter).toBeGreaterThan(23 * 60 * 60 * 1000);
    expect(retryAfter).toBeLessThanOrEqual(24 * 60 * 60 * 1000);
    await make(two, bob);
    await query(
      storage,
      sql`update conversations set created_at = now() - interval '25 hours' where made_by = ${alice.id}`,
    );
    await make(two, alice);
  });

  test("[LIMIT-14] a request names so many members, and costs by their number", async () => {
    const [alice] = await introduce(storage.store, "alice");
    const few = limited({ maxMembersPerRequest: 3 });
    const names = ["a", "b", "c", "d"];
    const id = await openGroup(storage.store, alice);
    const tooMany = { code: "invalid_frame", message: expect.stringContaining("MAX_MEMBERS_PER_REQUEST") };
    await expect(few.create(alice, { ...request, members: names })).rejects.toMatchObject(tooMany);
    await expect(few.add(alice, id, names)).rejects.toMatchObject(tooMany);
    const spend = vi.fn();
    const priced = limited({ memberRate: { spend } as unknown as RateLimit });
    await expect(priced.create(alice, { ...request, members: Array(30).fill("nobody") })).rejects.toThrow();
    expect(spend).toHaveBeenCalledWith(alice.id, "members", 3);
  });

  test("[LIMIT-15] who begins many direct conversations at once waits; those that there are cost nothing", async () => {
    const [alice, bob, carol, dora] = await introduce(storage.store, "alice", "bob", "carol", "dora");
    const slow = new Conversations(storage.store, sink, { newDirectRate: new RateLimit(0.001, 2) });
    const first = await slow.open(alice, bob.username);
    await slow.openWith(alice, carol.id);
    for (let again = 0; again < 3; again += 1) expect(await slow.openWith(alice, bob.id)).toEqual(first);
    await expect(slow.open(alice, dora.username)).rejects.toEqual(refusal("rate_limited"));
    await expect(slow.openWith(alice, dora.id)).rejects.toEqual(refusal("rate_limited"));
    expect(await slow.openWith(dora, alice.id)).toMatchObject({ type: "direct" });
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

  test("[ROOM-6] is a person's before a chosen id, an id of the server's before a person's, and after ~ an id alone", async () => {
    const [alice] = await introduce(storage.store, "alice");
    const chosen = await groups.create(alice, { ...request, id: `team-${newId()}`, members: [] });
    const own = await groups.create(alice, { ...request, members: [] });
    for (const { id } of [chosen, own]) {
      expect(await conversations.open(alice, id)).toMatchObject({ id });
      expect(await conversations.isNamed(alice, id === own.id ? own : chosen, id)).toBe(true);
    }
    // Both come to be called so afterwards.
    const [mallory, ceo] = [profileOf("mallory", { username: own.id }), profileOf("ceo", { username: chosen.id })];
    for (const user of [mallory, ceo]) expect(await storage.store.putUser(user)).toBe("stored");
    expect(await conversations.find(alice, chosen.id)).toEqual({ conversation: null, other: ceo });
    expect(await conversations.find(alice, own.id)).toEqual({ conversation: own });
    expect(await conversations.find(ceo, own.id)).toEqual({ conversation: null, other: mallory });
    for (const group of [chosen, own]) {
      expect(await conversations.find(alice, `~${group.id}`)).toEqual({ conversation: group });
      await expect(conversations.find(ceo, `~${group.id}`)).rejects.toEqual(refusal("not_found"));
      expect(await conversations.isNamed(alice, group, `~${group.id}`)).toBe(true);
    }
    expect(await conversations.isNamed(alice, chosen, chosen.id)).toBe(false);
    expect(await conversations.isNamed(alice, own, own.id)).toBe(true);
    await expect(conversations.find(alice, `~${ceo.username.slice(0, 4)}`)).rejects.toEqual(refusal("not_found"));
  });

  test("[ROOM-1] is the same in both forms of Unicode", async () => {
    const [alice] = await introduce(storage.store, "alice");
    const rene = profileOf("rene", { username: `réne.${newId()}`.normalize("NFC") });
    await storage.store.putUser(rene);
    expect(await conversations.find(alice, rene.username.normalize("NFD"))).toEqual({
      conversation: null,
      other: rene,
    });
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
