/**
 * The frames that the original document shows, field by field: what it shows is always there, of the same type, and what
 * comes beside it is listed here and nowhere else.
 */
import { describe, expect, test } from "vitest";
import type { Frame } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import { type SeedFrame, seedFrames } from "./seed-frames.ts";
import { enterPair, openBadge, openConversationBadge, openRoom, people, say } from "./sockets.ts";

/** What a frame has beside the document's fields: always, or when there is something to say. Types as `typeof` names them. */
interface Additions {
  readonly always: { readonly [field: string]: string };
  readonly sometimes: { readonly [field: string]: string };
}

const NONE: Additions = { always: {}, sometimes: {} };

const additions: { readonly [type: string]: Additions } = {
  chat_message: {
    always: { id: "string", seq: "number" },
    sometimes: {
      client_id: "string",
      media_type: "string",
      message_type: "string",
      attachments: "array",
      reply_to: "string",
      file_identifier: "string",
      multimedia_url_expiration: "string",
      repeated: "boolean",
    },
  },
  user_join: NONE,
  user_leave: NONE,
  online_user_list: { always: {}, sometimes: { total: "number" } },
  unread_count: NONE,
  new_message_notification: NONE,
  single_conversation_unread_count: NONE,
  single_conversation_new_message_notification: NONE,
};

const seeds = seedFrames();

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return value === null ? "null" : typeof value;
}

/** Of each field, and of each field inside it. */
function typesOf(frame: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(frame).map(([field, value]) => [field, typeOf(value) === "object" ? typesOf(value) : typeOf(value)]),
  );
}

function seed(type: string): SeedFrame {
  const frame = seeds.get(type);
  if (frame === undefined) throw new Error(`the document shows no ${type}`);
  return frame;
}

/** `sometimes`: the fields that this one has of those that a frame may lack. */
function expectGolden(frame: Frame, { sometimes = [], nulls = [] }: { sometimes?: string[]; nulls?: string[] } = {}) {
  const added = additions[frame.type] ?? NONE;
  const expected = {
    ...typesOf(seed(frame.type)),
    ...added.always,
    ...Object.fromEntries(sometimes.map((field) => [field, added.sometimes[field]])),
    ...Object.fromEntries(nulls.map((field) => [field, "null"])),
  };
  expect(typesOf(frame)).toEqual(expected);
}

describe("the document", () => {
  test("[FRAME-3] [FRAME-4] [BADGE-4] shows these frames, no others", () => {
    expect([...seeds.keys()].toSorted()).toEqual([...Object.keys(additions), "read_messages"].toSorted());
  });

  test("[FRAME-4] names the fields of who is here", () => {
    expect(seed("user_join")).toEqual({ type: "user_join", user: "username" });
    expect(seed("user_leave")).toEqual({ type: "user_leave", user: "username" });
    expect(seed("online_user_list")).toEqual({ type: "online_user_list", users: ["username1", "username2"] });
  });
});

describeOnBoth("as the document shows it", { nodes: 2 }, (stack) => {
  test("[FRAME-3] chat_message", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const example = seed("chat_message");
    const plain = await say(ofAlice, String(example.message));
    expectGolden(plain, { nulls: ["multimedia_url"] });
    expectGolden(await ofBob.receive(), { nulls: ["multimedia_url"] });

    const optional = {
      client_id: "c1",
      media_type: "IMAGE",
      message_type: "text",
      attachments: ["https://files.example/a"],
      reply_to: plain.id,
      file_identifier: "f",
      multimedia_url_expiration: "2030",
    };
    const sent = { type: "chat_message", message: example.message, multimedia_url: "photo.jpg", ...optional };
    ofAlice.send(sent);
    const full = await ofBob.receive();
    expectGolden(full, { sometimes: Object.keys(optional) });
    expect(full).toMatchObject({ ...sent, from_user: { username: alice }, room: alice });
    expect(full.date_added).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
    expect(Number.isNaN(Date.parse(String(example.date_added)))).toBe(false);
    await ofAlice.receive();
    ofAlice.send(sent);
    expectGolden(await ofAlice.receive(), { sometimes: [...Object.keys(optional), "repeated"] });
  });

  test("[FRAME-4] online_user_list, user_join and user_leave", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const ofAlice = await openRoom(stack(), alice, bob);
    for (const frame of await ofAlice.receiveMany(2)) expectGolden(frame);
    const ofBob = await openRoom(stack(), bob, alice, { node: 1 });
    for (const frame of await ofBob.receiveMany(2)) expectGolden(frame);
    await ofBob.close();
    for (const frame of await ofAlice.receiveMany(2)) expectGolden(frame);
  });

  test("[FRAME-5] read_messages, with no more than the document gives it", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    await say(ofAlice, "hello");
    await ofBob.receive();
    expect(seed("read_messages")).toEqual({ type: "read_messages" });
    ofBob.send(seed("read_messages"));
    expect(await ofAlice.receive()).toMatchObject({ type: "messages_read", user: bob, seq: 1 });
  });

  test("[BADGE-4] [SINGLE-3] the counts and the news", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    const { badge } = await openBadge(stack(), bob);
    const ofOne = await openConversationBadge(stack(), bob, alice);
    expectGolden(await ofOne.receive());
    await say(ofAlice, "hello");
    expectGolden(await badge.receive());
    expectGolden(await ofOne.receive());
    expect(await ofOne.receive()).toEqual({
      type: "single_conversation_last_message",
      last_message: "hello",
      last_datetime: expect.any(String),
    });
    expectGolden(await ofOne.receive());
    const { badge: later } = await openBadge(stack(), bob, { node: 1 });
    await stack().request(bob, "POST", `/api/rooms/${alice}/read`, {});
    expectGolden(await later.receive());
  });
});
