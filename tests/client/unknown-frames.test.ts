/** A server of a later release says more than this library knows, and the library goes on as if it had not. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connectConversationNotifications, connectNotifications } from "../../client/index.ts";
import { ScriptedEvents } from "./scripted-events.ts";
import { message, resumed, ScriptedRoom } from "./scripted-room.ts";
import { ScriptedNetwork, ScriptedSocket, settled, tokenWith } from "./scripted-socket.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const strange = [
  { type: "message_reaction", id: "m1", seq: 99, emoji: "+1" },
  { type: "toString" },
  { type: null },
  { type: 7, seq: 99 },
  {},
  [],
  { event: "message", data: {} },
];

describe("a room", () => {
  test.each(strange)("[FRAME-10] passes over %o, and goes on", async (frame) => {
    const scripted = new ScriptedRoom();
    const types: unknown[] = [];
    scripted.room.onFrame(({ type }) => types.push(type));
    const loop = scripted.room[Symbol.asyncIterator]();
    await settled();
    scripted.socket.open();
    scripted.socket.deliver(frame, { type: "online_user_list", users: [] }, frame, resumed(4), frame);
    scripted.socket.deliver(message(5), frame, message(6));
    expect(types).toEqual(["online_user_list", "resumed", "chat_message", "chat_message"]);
    expect((await loop.next()).value).toMatchObject({ type: "online_user_list" });
    expect(scripted.room.state).toEqual({ name: "open" });
    expect(scripted.room.seq).toBe(6);
    await scripted.breakLine();
    expect(scripted.socket.url.searchParams.get("since")).toBe("6");
    scripted.room.close();
  });

  test("[FRAME-10] takes a frame that it knows with fields that it does not", async () => {
    const scripted = await new ScriptedRoom().open();
    const frames: unknown[] = [];
    scripted.room.on("chat_message", (frame) => frames.push(frame));
    const later = { ...message(1), reactions: { "+1": 3 } };
    scripted.socket.deliver(later);
    expect(frames).toEqual([later]);
    scripted.room.close();
  });
});

describe.each([
  ["notifications", connectNotifications, { type: "unread_count", unread_count: 1 }],
  [
    "notifications of a conversation",
    (options: Parameters<typeof connectNotifications>[0]) => connectConversationNotifications("bob", options),
    { type: "single_conversation_unread_count", unread_count: 1 },
  ],
] as const)("%s", (_name, connect, known) => {
  test.each(strange)("[FRAME-10] pass over %o, and go on", async (frame) => {
    const network = new ScriptedNetwork(ScriptedSocket);
    const connection = connect(network.options);
    const frames: unknown[] = [];
    connection.onFrame((heard) => frames.push(heard));
    await settled();
    network.socket.open();
    network.socket.deliver(frame, known, frame, known);
    expect(frames).toEqual([known, known]);
    expect(connection.state).toEqual({ name: "open" });
    connection.close();
  });
});

describe.each([
  ["/chat", { event: "chat:message_receive", data: { chatId: "c", seq: 5 } }, "c"],
  ["/rooms", { event: "message", data: { room_id: "c", seq: 5 } }, "c"],
] as const)("events on %s", (path, known, id) => {
  test.each([
    { event: "maintenance", data: null },
    { event: "maintenance" },
    { event: "maintenance", data: "at noon" },
    { event: "maintenance", data: [] },
    { event: "reaction", data: { room_id: "c", chatId: "c", seq: 99 } },
    { event: null, data: {} },
    { event: "error", data: null },
    { type: "user_join", user: "bob" },
    [],
  ])("[FRAME-10] pass over %o, and go on", async (frame) => {
    const scripted = new ScriptedEvents(path, { getToken: () => tokenWith({ sub: "alice" }) });
    await scripted.open(frame as never);
    scripted.socket.deliver(frame, known, frame);
    expect(scripted.heard).toEqual([known]);
    expect(scripted.events.positions).toEqual({ [id]: 5 });
    expect(scripted.events.state).toEqual({ name: "open" });
    scripted.events.close();
  });
});

test("events on /rooms that are named after the user are known by the token", async () => {
  const scripted = new ScriptedEvents("/rooms", { getToken: () => tokenWith({ sub: "7", username: "alice" }) });
  await scripted.open();
  const own = [
    { event: "7", data: { room_id: "a", seq: 1 } },
    { event: "group_7", data: { _id: "b", seq: 2 } },
  ];
  scripted.socket.deliver(...own);
  expect(scripted.heard).toEqual(own);
  expect(scripted.events.positions).toEqual({ a: 1, b: 2 });
  scripted.events.close();
});

test("a list of rooms that comes in pages is known in all of them", async () => {
  const scripted = await new ScriptedEvents("/rooms", { since: { b: 3 } }).open();
  const list = scripted.events.send("connectRooms", {});
  scripted.socket.deliver(
    { event: "connectRooms", data: [{ _id: "a", seq: 9 }] },
    {
      event: "more rooms",
      data: [
        { _id: "b", seq: 8 },
        { _id: "c", seq: 7 },
      ],
    },
  );
  scripted.acknowledge(scripted.asked[0]);
  await list;
  expect(scripted.heard.map(({ event }) => event)).toEqual(["connectRooms", "more rooms"]);
  // What came in between in `b` is still to be replayed.
  expect(scripted.events.positions).toEqual({ a: 9, b: 3, c: 7 });
  scripted.events.close();
});
