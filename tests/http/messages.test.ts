import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ALICE, BOB, type Company, ISO, MAX_MESSAGE_CHARS, openCompany, type Person, personOf } from "./server.ts";

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

/** A group of its own for a test, with so many messages of alice's in it. */
async function roomWith(texts: readonly string[], members: readonly string[] = ["bob"]): Promise<string> {
  const { body } = await alice.post("/api/conversations", { type: "group", name: "room", members });
  for (const message of texts) await alice.post(`/api/rooms/${body.id}/messages`, { message });
  return body.id;
}

describe("POST /api/rooms/:room/messages", () => {
  it("makes the direct conversation and answers 201 with the message, field by field", async () => {
    const { status, body, headers } = await alice.post("/api/rooms/bob/messages", {
      message: "hello",
      multimedia_url: "https://example.com/cat.png",
      media_type: "IMAGE",
      message_type: "greeting",
      attachments: ["https://example.com/a.pdf", { url: "https://example.com/b.pdf", size: 7 }],
      file_identifier: "f-1",
      multimedia_url_expiration: "tomorrow",
      client_id: "c-1",
    });
    expect(status).toBe(201);
    expect(headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      conversation_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      seq: 1,
      from_user: ALICE,
      to_user: BOB,
      date_added: ISO,
      content: "hello",
      multimedia_url: "https://example.com/cat.png",
      media_type: "IMAGE",
      message_type: "greeting",
      attachments: ["https://example.com/a.pdf", { url: "https://example.com/b.pdf", size: 7 }],
      reply_to: null,
      reply_message: null,
      is_story_reply: false,
      file_identifier: "f-1",
      multimedia_url_expiration: "tomorrow",
      client_id: "c-1",
      date_edited: null,
      deleted: false,
      date_deleted: null,
      deleted_by: null,
      pinned: false,
      date_pinned: null,
      pinned_by: null,
    });
    expect(storage.sink.events).toContainEqual(expect.objectContaining({ type: "message_created", seq: 1 }));
    expect((await bob.get("/api/rooms/alice/messages")).body.messages).toEqual([body]);
    expect((await bob.get(`/api/rooms/${body.conversation_id}/messages`)).body.messages).toEqual([body]);
  });

  it("takes a reply, and takes empty strings for nothing", async () => {
    const room = await roomWith(["first"]);
    const { messages } = (await bob.get(`/api/rooms/${room}/messages`)).body;
    const { status, body } = await bob.post(`/api/rooms/${room}/messages`, {
      message: "second",
      reply_to: messages[0]?.id,
      multimedia_url: "",
      media_type: "",
      client_id: "",
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ reply_to: messages[0]?.id, multimedia_url: null, media_type: null, client_id: null });
    expect(body).not.toHaveProperty("to_user");
  });

  it("makes one message of one client id, from the body or the header", async () => {
    const room = await roomWith([]);
    const url = `/api/rooms/${room}/messages`;
    const first = await alice.post(url, { message: "once" }, { "idempotency-key": "k-1" });
    expect(first).toMatchObject({ status: 201, body: { client_id: "k-1" } });
    expect(first.body).not.toHaveProperty("repeated");
    const again = [
      await alice.post(url, { message: "once" }, { "idempotency-key": "k-1" }),
      await alice.post(url, { message: "other text", client_id: "k-1" }),
      await alice.post(url, { message: "once", client_id: "k-1" }, { "idempotency-key": "k-1" }),
    ];
    for (const answer of again) expect(answer).toMatchObject({ status: 200, body: { ...first.body, repeated: true } });
    expect((await bob.post(url, { message: "mine" }, { "idempotency-key": "k-1" })).status).toBe(201);
    expect((await alice.get(url)).body.messages).toHaveLength(2);
  });

  it("refuses two client ids that differ", async () => {
    const answer = await alice.post(
      "/api/rooms/bob/messages",
      { message: "x", client_id: "a" },
      { "idempotency-key": "b" },
    );
    expect(answer).toMatchObject({
      status: 400,
      body: {
        error: {
          code: "invalid_frame",
          message: "header.idempotency-key: expected the same as body.client_id, or one of the two",
        },
      },
    });
  });

  it.each<[string, unknown, string]>([
    ["a sender of its own", { message: "x", from_user: "u-bob" }, "body.from_user: unknown field"],
    ["another sender's id", { message: "x", user_id: "u-bob" }, "body.user_id: unknown field"],
    ["a frame's type", { message: "x", type: "chat_message" }, "body.type: unknown field"],
    [
      "another scheme",
      { multimedia_url: "javascript:alert(1)" },
      "body.multimedia_url: expected an http or https URL or a relative one",
    ],
    ["a bad attachment", { attachments: ["nowhere"] }, "body.attachments.0: expected an http or https URL"],
    [
      "a long text",
      { message: "x".repeat(MAX_MESSAGE_CHARS + 1) },
      `body.message: expected at most ${MAX_MESSAGE_CHARS} characters`,
    ],
    ["nothing", {}, "message: a text, a media url or an attachment is needed"],
    ["a list", [], "body: Invalid input: expected object, received array"],
    ["no body", undefined, "body: Invalid input: expected object, received undefined"],
  ])("refuses %s", async (_name, payload, message) => {
    const answer = await alice.post("/api/rooms/bob/messages", payload);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid_frame", message } } });
  });

  it("refuses a header that is no client id", async () => {
    const answer = await alice.post("/api/rooms/bob/messages", { message: "x" }, { "idempotency-key": "k".repeat(65) });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid_frame" } } });
    expect(answer.body.error.message).toMatch(/^header\.idempotency-key: /);
  });

  it("counts code points, not UTF-16 units", async () => {
    const message = "😀".repeat(MAX_MESSAGE_CHARS);
    expect(await alice.post("/api/rooms/bob/messages", { message })).toMatchObject({
      status: 201,
      body: { content: message },
    });
  });

  it("knows no room of others, nor one that is not there, and does not say which", async () => {
    const room = await roomWith([]);
    const answers = [
      await mallory.post(`/api/rooms/${room}/messages`, { message: "x" }),
      await mallory.post("/api/rooms/nowhere/messages", { message: "x" }),
    ];
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 404, body: { error: { code: "not_found", message: "no such room" } } });
    }
  });

  it("refuses an answer to a message of another room", async () => {
    const { body } = await alice.post("/api/rooms/bob/messages", { message: "elsewhere" });
    const answer = await alice.post(`/api/rooms/${await roomWith([])}/messages`, { message: "x", reply_to: body.id });
    expect(answer).toMatchObject({ status: 403, body: { error: { code: "forbidden" } } });
  });
});

describe("POST /api/rooms/:room/read", () => {
  it("reads up to a message, then all; never back", async () => {
    const room = await roomWith(["1", "2", "3"]);
    const url = `/api/rooms/${room}/read`;
    const { messages } = (await bob.get(`/api/rooms/${room}/messages`)).body;
    expect((await bob.post(url, { id: messages[1]?.id })).body).toEqual({ unread_count: 1, seq: 2 });
    expect((await bob.post(url)).body).toEqual({ unread_count: 0, seq: 3 });
    expect((await bob.post(url, { id: messages[2]?.id })).body).toEqual({ unread_count: 0, seq: 3 });
    expect(storage.sink.events).toContainEqual(
      expect.objectContaining({ type: "messages_read", conversationId: room, seq: 3, unread: 0 }),
    );
  });

  it("takes an empty body of type JSON", async () => {
    const room = await roomWith(["1"]);
    const answer = await bob.post(`/api/rooms/${room}/read`, "", { "content-type": "application/json" });
    expect(answer).toMatchObject({ status: 200, body: { unread_count: 0, seq: 1 } });
  });

  it("refuses what is not there to read", async () => {
    const room = await roomWith(["1"]);
    const { body } = await alice.post("/api/rooms/bob/messages", { message: "elsewhere" });
    const forbidden = { status: 403, body: { error: { code: "forbidden" } } };
    expect(await bob.post(`/api/rooms/${room}/read`, { id: body.id })).toMatchObject(forbidden);
    const dave = await personOf(server, "dave");
    expect(await dave.post("/api/rooms/bob/read", { id: body.id })).toMatchObject(forbidden);
    expect(await mallory.post(`/api/rooms/${room}/read`)).toMatchObject({ status: 404 });
    expect(await bob.post(`/api/rooms/${room}/read`, { id: "no id" })).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_frame", message: "body.id: expected 1 to 64 of A-Z a-z 0-9 _ -" } },
    });
  });
});
