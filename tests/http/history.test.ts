import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Profile } from "../../server/core/model.ts";
import { ALICE, BOB, type Company, ISO, openCompany, type Person, personOf } from "./server.ts";

let company: Company;
let storage: Company["storage"];
let server: Company["server"];
let alice: Person;
let bob: Person;
let mallory: Person;

beforeAll(async () => {
  company = await openCompany("mallory");
  ({ storage, server, alice, bob, third: mallory } = company);
});
afterAll(() => company?.close());

async function profileOf(person: Person): Promise<Profile> {
  const profile = await storage.services.users.user(person.id);
  if (profile === null) throw new Error(`${person.id} is not stored`);
  return profile;
}

/** A group of its own for a test, with so many messages of alice's in it. */
async function roomWith(texts: readonly string[], members: readonly string[] = ["bob"]): Promise<string> {
  const { body } = await alice.post("/api/conversations", { type: "group", name: "room", members });
  for (const message of texts) await alice.post(`/api/rooms/${body.id}/messages`, { message });
  return body.id;
}

describe("GET /api/rooms/:room/messages", () => {
  const seqs = (body: { messages: { seq: number }[] }) => body.messages.map((message) => message.seq);

  it("makes no conversation of a username", async () => {
    const carol = await personOf(server, "carol");
    const empty = { messages: [], next: null, previous: null };
    expect(await carol.get("/api/rooms/bob/messages")).toMatchObject({ status: 200, body: empty });
    expect((await carol.post("/api/rooms/bob/read")).body).toEqual({ unread_count: 0, seq: 0 });
    expect(storage.sink.userEvents.filter((event) => event.userId === "carol")).toEqual([]);
  });

  it("pages to both ends, with links exactly where there is something", async () => {
    const room = await roomWith(["1", "2", "3", "4", "5"]);
    const url = `/api/rooms/${room}/messages`;

    const older: number[][] = [];
    let answer = await bob.get(`${url}?limit=2`);
    expect(answer.body.previous).toBeNull();
    for (;;) {
      older.push(seqs(answer.body));
      if (answer.body.next === null) break;
      answer = await bob.get(answer.body.next);
      expect(answer.body.previous).not.toBeNull();
    }
    expect(older).toEqual([[5, 4], [3, 2], [1]]);

    const newer: number[][] = [];
    for (;;) {
      newer.push(seqs(answer.body));
      if (answer.body.previous === null) break;
      answer = await bob.get(answer.body.previous);
      expect(answer.body.next).not.toBeNull();
    }
    expect(newer).toEqual([[1], [3, 2], [5, 4]]);
  });

  it("ends exactly with a full page", async () => {
    const room = await roomWith(["1", "2", "3", "4"]);
    const url = `/api/rooms/${room}/messages`;
    expect((await bob.get(`${url}?limit=4`)).body).toMatchObject({ next: null, previous: null });
    const last = await bob.get(`${url}?limit=2&before=3`);
    expect(last.body).toMatchObject({ next: null, previous: `${url}?after=2&limit=2` });
    const first = await bob.get(`${url}?limit=2&after=2`);
    expect(seqs(first.body)).toEqual([4, 3]);
    expect(first.body).toMatchObject({ next: `${url}?before=3&limit=2`, previous: null });
  });

  it.each<[string, number[], string | null, string | null]>([
    ["?after=1&limit=2", [3, 2], "?before=2&limit=2", "?after=3&limit=2"],
    ["?after=0&limit=2", [2, 1], null, "?after=2&limit=2"],
    ["?after=5", [], "?before=6&limit=50", null],
    ["?after=99", [], "?before=100&limit=50", null],
    ["?before=1", [], null, "?after=0&limit=50"],
    ["?before=0", [], null, "?after=0&limit=50"],
    ["?before=99&limit=2", [5, 4], "?before=4&limit=2", null],
    ["?after=1&before=5&limit=2", [4, 3], "?before=3&after=1&limit=2", "?after=4&limit=2"],
    ["?after=1&before=3", [2], null, "?after=2&limit=50"],
    ["?after=2&before=3", [], null, "?after=2&limit=50"],
    ["?before=9007199254740991", [5, 4, 3, 2, 1], null, null],
  ])("%s", async (query, expected, next, previous) => {
    const room = await roomWith(["1", "2", "3", "4", "5"]);
    const url = `/api/rooms/${room}/messages`;
    const { body } = await bob.get(url + query);
    expect(seqs(body)).toEqual(expected);
    const full = (link: string | null) => (link === null ? null : url + link);
    expect({ next: body.next, previous: body.previous }).toEqual({ next: full(next), previous: full(previous) });
  });

  it("keeps to pinned messages, its links too", async () => {
    const room = await roomWith(["1", "2", "3", "4", "5"]);
    const url = `/api/rooms/${room}/messages`;
    const { messages } = (await bob.get(url)).body;
    const bobProfile = await profileOf(bob);
    for (const message of messages.filter(({ seq }: { seq: number }) => seq % 2 === 1)) {
      await storage.services.messages.pin(bobProfile, room, message.id, true);
    }
    const first = (await alice.get(`${url}?pinned=true&limit=2`)).body;
    expect(seqs(first)).toEqual([5, 3]);
    expect(first.messages[0]).toMatchObject({
      pinned: true,
      date_pinned: ISO,
      pinned_by: { id: "u-bob", username: "bob" },
    });
    expect(first).toMatchObject({ next: `${url}?before=3&limit=2&pinned=true`, previous: null });
    const second = (await alice.get(String(first.next))).body;
    expect(seqs(second)).toEqual([1]);
    expect(second).toMatchObject({ next: null, previous: `${url}?after=1&limit=2&pinned=true` });
    expect(seqs((await alice.get(`${url}?pinned=false`)).body)).toEqual([5, 4, 3, 2, 1]);
  });

  it("shows an edit, and a deleted message as a tombstone in its place", async () => {
    const room = await roomWith(["first", "second"]);
    const url = `/api/rooms/${room}/messages`;
    const [second, first] = (await bob.get(url)).body.messages;
    const aliceProfile = await profileOf(alice);
    await storage.services.messages.edit(aliceProfile, room, second?.id ?? "", "edited");
    await storage.services.messages.delete(aliceProfile, room, first?.id ?? "");
    expect((await bob.get(url)).body.messages).toEqual([
      { ...second, content: "edited", date_edited: ISO },
      { ...first, content: "", deleted: true, date_deleted: ISO, deleted_by: { id: "u-alice", username: "alice" } },
    ]);
  });

  it("says to whom, in the direct conversation with oneself too", async () => {
    const { body } = await alice.post("/api/rooms/alice/messages", { message: "a note" });
    expect(body).toMatchObject({ from_user: ALICE, to_user: ALICE });
    await bob.post("/api/rooms/alice/messages", { message: "back" });
    const { messages } = (await alice.get("/api/rooms/bob/messages?limit=1")).body;
    expect(messages[0]).toMatchObject({ from_user: BOB, to_user: ALICE });
  });

  it("links to a room by the name it was asked for, encoded", async () => {
    await personOf(server, "u-zoe", { username: "zoë+1" });
    for (const message of ["1", "2"]) await alice.post("/api/rooms/zo%C3%AB%2B1/messages", { message });
    const { body } = await alice.get("/api/rooms/zo%C3%AB+1/messages?limit=1");
    expect(body.next).toBe("/api/rooms/zo%C3%AB%2B1/messages?before=2&limit=1");
    expect(seqs((await alice.get(String(body.next))).body)).toEqual([1]);
  });

  it.each([
    ["before=1e3", "query.before: expected a whole number"],
    ["before=-1", "query.before: expected a whole number"],
    ["after=0x10", "query.after: expected a whole number"],
    ["after=9007199254740992", "query.after: expected a whole number"],
    ["after=", "query.after: expected a whole number"],
    ["limit=201", "query.limit: expected a whole number from 1 to 200"],
    ["pinned=yes", "query.pinned: expected true or false"],
    ["since=1", "query.since: unknown field"],
  ])("refuses ?%s", async (query, message) => {
    const answer = await alice.get(`/api/rooms/bob/messages?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid_frame", message } } });
  });

  it("knows no room of others", async () => {
    const room = await roomWith(["secret"]);
    const answer = await mallory.get(`/api/rooms/${room}/messages`);
    expect(answer).toMatchObject({ status: 404, body: { error: { code: "not_found", message: "no such room" } } });
  });
});
