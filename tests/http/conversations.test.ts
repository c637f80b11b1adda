import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ALICE, BOB, type Company, ISO, MAX_GROUP_MEMBERS, openCompany, type Person, personOf } from "./server.ts";

let company: Company;
let storage: Company["storage"];
let server: Company["server"];
let alice: Person;
let bob: Person;
let carol: Person;

beforeAll(async () => {
  company = await openCompany("carol");
  ({ storage, server, alice, bob, third: carol } = company);
});
afterAll(() => company?.close());

async function makeGroup(members: readonly string[], more: object = {}): Promise<string> {
  const { status, body } = await alice.post("/api/conversations", { type: "group", name: "group", members, ...more });
  expect(status).toBe(201);
  return body.id;
}

const usernames = (members: { username: string }[]) => members.map(({ username }) => username);

function refusal(status: number, code: string) {
  return { status, body: { error: { code, message: expect.any(String) } } };
}

describe("GET /api/conversations", () => {
  it("shows a direct conversation as its member sees it, field by field", async () => {
    const dora = await personOf(server, "dora");
    const { body: message } = await dora.post("/api/rooms/bob/messages", { message: "hello" });
    const shape = {
      id: message.conversation_id,
      type: "direct",
      members_count: 2,
      last_message: message,
      seq: 1,
      updated_at: message.date_added,
    };
    const ofDora = (await dora.get("/api/conversations")).body;
    expect(ofDora).toEqual({
      results: [{ ...shape, name: "Bob", image_url: "bob.png", other_user: BOB, unread_count: 0 }],
      next: null,
    });
    const [ofBob] = (await bob.get("/api/conversations")).body.results;
    expect(ofBob).toEqual({
      ...shape,
      name: "dora",
      image_url: null,
      other_user: message.from_user,
      unread_count: 1,
    });
  });

  it("shows a group, from its making on; a direct conversation from its first message on", async () => {
    const erin = await personOf(server, "erin");
    const group = { type: "group", name: "friends", image_url: "friends.png", members: ["bob", "u-carol"] };
    const { body } = await erin.post("/api/conversations", group);
    await storage.services.conversations.open({ ...BOB, firstName: "", lastName: "" }, "erin");
    expect((await erin.get("/api/conversations")).body).toEqual({
      results: [
        {
          id: body.id,
          type: "group",
          name: "friends",
          image_url: "friends.png",
          other_user: null,
          members_count: 3,
          last_message: null,
          unread_count: 0,
          seq: 0,
          updated_at: ISO,
        },
      ],
      next: null,
    });
  });

  it("pages newest first to the exact end", async () => {
    const frank = await personOf(server, "frank");
    const ids: string[] = [];
    for (const name of ["1", "2", "3", "4"]) {
      ids.unshift((await frank.post("/api/conversations", { type: "group", name })).body.id);
    }
    const pages: string[][] = [];
    let url: string | null = "/api/conversations?limit=2";
    while (url !== null) {
      const { body }: { body: { results: { id: string }[]; next: string | null } } = await frank.get(url);
      pages.push(body.results.map(({ id }) => id));
      url = body.next;
    }
    expect(pages).toEqual([ids.slice(0, 2), ids.slice(2)]);
    await frank.post(`/api/rooms/${ids[3]}/messages`, { message: "newest" });
    expect((await frank.get("/api/conversations?limit=1")).body.results[0]?.id).toBe(ids[3]);
  });

  it.each([
    "nonsense",
    Buffer.from("{}").toString("base64url"),
    Buffer.from('["yesterday","x"]').toString("base64url"),
    "",
  ])("refuses the cursor %j", async (cursor) => {
    expect(await alice.get(`/api/conversations?cursor=${cursor}`)).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_frame", message: "query.cursor: expected a cursor from next" } },
    });
  });
});

describe("POST /api/conversations", () => {
  it("makes a group of ids and usernames, once each, and tells its members", async () => {
    const answer = await alice.post("/api/conversations", {
      type: "group",
      name: "team",
      members: ["bob", "u-bob", "u-carol", "alice"],
      image_url: "https://example.com/team.png",
      id: "team-1",
    });
    expect(answer).toMatchObject({ status: 201, headers: { location: "/api/conversations/team-1" } });
    expect(answer.body).toEqual({
      id: "team-1",
      type: "group",
      name: "team",
      image_url: "https://example.com/team.png",
      other_user: null,
      members_count: 3,
      last_message: null,
      unread_count: 0,
      seq: 0,
      updated_at: ISO,
      creator_id: "u-alice",
      members: expect.any(Array),
    });
    expect(usernames(answer.body.members).sort()).toEqual(["alice", "bob", "carol"]);
    const told = storage.sink.userEvents.filter((event) => event.conversationId === "team-1");
    expect(told.map((event) => `${event.type} ${event.userId}`).sort()).toEqual([
      "conversation_joined u-alice",
      "conversation_joined u-bob",
      "conversation_joined u-carol",
    ]);
    expect((await bob.get("/api/conversations/team-1")).body).toMatchObject({ creator_id: "u-alice" });
  });

  it("refuses the id of a conversation of the caller's; another that cannot be had is told from none but by the id", async () => {
    await makeGroup(["bob"], { id: "taken-1" });
    const ask = (id: string) => bob.post("/api/conversations", { type: "group", name: "x", id });
    expect(await ask("taken-1")).toMatchObject(refusal(409, "conflict"));
    await makeGroup([], { id: "taken-2" });
    for (const id of ["taken-2", "alice"]) {
      const { status, body, headers } = await ask(id);
      expect([status, body.creator_id]).toEqual([201, "u-bob"]);
      expect(body.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
      expect(headers.location).toBe(`/api/conversations/${body.id}`);
    }
  });

  it.each<[object, string]>([
    [{ type: "direct" }, "body.type: expected group; a direct conversation is made by sending to a username"],
    [{ name: "" }, "body.name: expected 1 to 256 characters"],
    [{ id: "a b" }, "body.id: expected 1 to 64 of A-Z a-z 0-9 _ -"],
    [{ image_url: "data:x" }, "body.image_url: expected an http or https URL or a relative one"],
    [{ members: ["bob", "nobody"] }, "members.1: no such user"],
    [{ members: ["a", "b", "c", "d", "e"] }, `members: a group has at most ${MAX_GROUP_MEMBERS}`],
    [{ creator_id: "u-bob" }, "body.creator_id: unknown field"],
  ])("refuses %j", async (fields, message) => {
    const answer = await alice.post("/api/conversations", { type: "group", name: "x", ...fields });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid_frame", message } } });
  });
});

describe("GET /api/conversations/:id", () => {
  it("shows a direct conversation with its two members, and one with oneself", async () => {
    const { body: sent } = await alice.post("/api/rooms/bob/messages", { message: "hello" });
    const { body } = await alice.get(`/api/conversations/${sent.conversation_id}`);
    expect(body).toMatchObject({ name: "Bob", other_user: BOB, creator_id: null, members: [ALICE, BOB] });
    const { body: note } = await alice.post("/api/rooms/alice/messages", { message: "a note" });
    expect((await alice.get(`/api/conversations/${note.conversation_id}`)).body).toMatchObject({
      name: "Alice",
      other_user: ALICE,
      members: [ALICE],
      members_count: 1,
    });
  });

  it("knows none of others", async () => {
    const id = await makeGroup([]);
    expect(await bob.get(`/api/conversations/${id}`)).toMatchObject(refusal(404, "not_found"));
    expect(await bob.get("/api/conversations/nowhere")).toMatchObject(refusal(404, "not_found"));
    expect(await bob.get("/api/conversations/a%20b")).toMatchObject(refusal(400, "invalid_frame"));
  });
});

describe("PATCH /api/conversations/:id", () => {
  it("changes name and image, each by itself", async () => {
    const id = await makeGroup(["bob"], { image_url: "old.png" });
    const renamed = await alice.patch(`/api/conversations/${id}`, { name: "renamed" });
    expect(renamed).toMatchObject({ status: 200, body: { name: "renamed", image_url: "old.png" } });
    const bare = await alice.patch(`/api/conversations/${id}`, { image_url: null });
    expect(bare).toMatchObject({ status: 200, body: { name: "renamed", image_url: null } });
    const updates = storage.sink.events.filter(
      (event) => event.type === "group_updated" && event.conversationId === id,
    );
    expect(updates).toHaveLength(2);
  });

  it("is the creator's alone, of a group, and says what", async () => {
    const id = await makeGroup(["bob"]);
    expect(await bob.patch(`/api/conversations/${id}`, { name: "mine" })).toMatchObject(refusal(403, "forbidden"));
    expect(await carol.patch(`/api/conversations/${id}`, { name: "mine" })).toMatchObject(refusal(404, "not_found"));
    const { body } = await alice.post("/api/rooms/bob/messages", { message: "hello" });
    expect(await alice.patch(`/api/conversations/${body.conversation_id}`, { name: "x" })).toMatchObject(
      refusal(403, "forbidden"),
    );
    expect(await alice.patch(`/api/conversations/${id}`, {})).toMatchObject({
      status: 400,
      body: { error: { message: "body: expected name, image_url or both" } },
    });
  });
});

describe("members of a group", () => {
  it("are added by the creator, who hears who is new", async () => {
    const id = await makeGroup(["bob"]);
    const answer = await alice.post(`/api/conversations/${id}/members`, { members: ["bob", "carol"] });
    expect(answer.status).toBe(200);
    expect(usernames(answer.body.added)).toEqual(["carol"]);
    expect((await carol.get(`/api/conversations/${id}`)).body).toMatchObject({ members_count: 3, unread_count: 0 });
    expect((await alice.post(`/api/conversations/${id}/members`, { members: ["carol"] })).body).toEqual({ added: [] });
  });

  it("are added by nobody else, and not without bounds", async () => {
    const id = await makeGroup(["bob"]);
    const add = (person: Person, members: readonly string[]) =>
      person.post(`/api/conversations/${id}/members`, { members });
    expect(await add(bob, ["carol"])).toMatchObject(refusal(403, "forbidden"));
    expect(await add(carol, ["carol"])).toMatchObject(refusal(404, "not_found"));
    expect(await add(alice, ["nobody"])).toMatchObject(refusal(400, "invalid_frame"));
    expect(await add(alice, [])).toMatchObject(refusal(400, "invalid_frame"));
    for (const name of ["guest-1", "guest-2", "guest-3"]) await personOf(server, name);
    expect(await add(alice, ["guest-1", "guest-2", "guest-3"])).toMatchObject(refusal(400, "invalid_frame"));
    expect((await alice.get(`/api/conversations/${id}`)).body.members_count).toBe(2);
  });

  it("are removed by the creator, by id or username, and see the group no more", async () => {
    const id = await makeGroup(["bob", "carol"]);
    expect(await bob.delete(`/api/conversations/${id}/members/carol`)).toMatchObject(refusal(403, "forbidden"));
    const removed = await alice.delete(`/api/conversations/${id}/members/u-bob`);
    expect(removed).toMatchObject({ status: 204, text: "" });
    expect((await alice.delete(`/api/conversations/${id}/members/carol`)).status).toBe(204);
    expect(await bob.get(`/api/conversations/${id}`)).toMatchObject(refusal(404, "not_found"));
    expect(await bob.get(`/api/rooms/${id}/messages`)).toMatchObject(refusal(404, "not_found"));
    expect(await alice.delete(`/api/conversations/${id}/members/bob`)).toMatchObject(refusal(404, "not_found"));
    expect(await alice.delete(`/api/conversations/${id}/members/nobody`)).toMatchObject(refusal(404, "not_found"));
  });

  it("leave by themselves; a creator who leaves leaves it to nobody", async () => {
    const id = await makeGroup(["bob", "carol"]);
    expect((await carol.delete(`/api/conversations/${id}/members/carol`)).status).toBe(204);
    expect((await alice.delete(`/api/conversations/${id}/members/u-alice`)).status).toBe(204);
    expect(await alice.get(`/api/conversations/${id}`)).toMatchObject(refusal(404, "not_found"));
    const { body } = await bob.get(`/api/conversations/${id}`);
    expect(body).toMatchObject({ creator_id: null, members: [BOB], members_count: 1 });
    expect(await bob.patch(`/api/conversations/${id}`, { name: "mine now" })).toMatchObject(refusal(403, "forbidden"));
  });

  it("[ROOMS-16] come back when they are invited, by adding themselves", async () => {
    const id = await makeGroup(["bob"]);
    const members = `/api/conversations/${id}/members`;
    await bob.delete(`${members}/bob`);
    expect(await bob.post(members, { members: ["bob"] })).toMatchObject(refusal(404, "not_found"));
    expect((await alice.post(members, { members: ["bob"] })).body).toEqual({ added: [], invited: [BOB] });
    expect((await bob.post(members, { members: ["bob"] })).body).toEqual({ added: [BOB] });
    expect((await bob.get(`/api/conversations/${id}`)).status).toBe(200);
  });
});
