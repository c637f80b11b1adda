/** A message is acknowledged by its sender and its socket, never by its client id alone: anybody may use the same one. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connectEvents, connectRoom, createApi } from "../../client/index.ts";
import { describeOnBoth } from "../support/stack.ts";
import { as, heard, history, people, reached, urlOf } from "./clients.ts";
import { closing, message, resumed, ScriptedRoom, textsOf } from "./scripted-room.ts";
import { outcomeOf, settled, tokenWith } from "./scripted-socket.ts";

const from = (username: string) => ({ from_user: { username } });
const alice = from("alice");
const bob = from("bob");

/** Alice's room with Bob; her app counts its client ids. */
const aliceRoom = (claims: object = { sub: "1", username: "alice" }) =>
  new ScriptedRoom({ getToken: () => tokenWith(claims) });

describe("somebody else's message with the client id of one's own", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([
    ["another text", "another"],
    ["the same text", "mine"],
  ])("is no answer to one that is on its way: %s", async (_what, text) => {
    const scripted = await aliceRoom().open();
    const sending = scripted.room.send({ message: "mine", client_id: "1" });
    scripted.socket.deliver(message(1, { ...bob, client_id: "1", message: text }));
    expect(await outcomeOf(sending)).toBe("pending");
    scripted.socket.deliver(message(2, { ...alice, client_id: "1", message: "mine" }));
    scripted.socket.deliver(message(3, { ...bob, client_id: "1", message: text }));
    expect(await sending).toMatchObject({ seq: 2, ...alice });
    expect(textsOf(scripted)).toEqual(["mine"]);
    scripted.room.close();
  });

  test("is no answer to one that waits behind another: that is sent", async () => {
    const scripted = await aliceRoom().open();
    const [first, second] = ["1", "2"].map((client_id) => scripted.room.send({ message: client_id, client_id }));
    scripted.socket.deliver(message(1, { ...bob, client_id: "2", message: "2" }));
    scripted.socket.deliver(message(2, { ...alice, client_id: "1", message: "1" }));
    expect(textsOf(scripted)).toEqual(["1", "2"]);
    scripted.socket.deliver(message(3, { ...alice, client_id: "2", message: "2" }));
    expect(await Promise.all([first, second])).toMatchObject([{ seq: 2 }, { seq: 3 }]);
    scripted.room.close();
  });

  test("is no answer in what was missed either", async () => {
    const scripted = await aliceRoom().open();
    const sending = scripted.room.send({ message: "mine", client_id: "1" });
    await scripted.breakLine();
    scripted.socket.open();
    scripted.socket.deliver(message(1, { ...bob, client_id: "1", message: "mine" }), resumed(1));
    expect(textsOf(scripted)).toEqual(["mine"]);
    scripted.socket.deliver(message(2, { ...alice, client_id: "1", repeated: true }));
    expect(await sending).toMatchObject({ seq: 2 });
    scripted.room.close();
  });

  test("is no answer to one whose client id was drawn here and has been on the wire before", async () => {
    const scripted = await aliceRoom().open();
    const sending = scripted.room.send("mine");
    const { client_id } = scripted.room.pending[0] ?? {};
    await scripted.breakLine();
    // The first one was stored, and deleted: its tombstone has no client id. Bob has copied it meanwhile.
    await scripted.open(2);
    scripted.socket.deliver(message(3, { ...bob, message: "mine", ...(client_id && { client_id }) }));
    expect(await outcomeOf(sending)).toBe("pending");
    scripted.socket.deliver(message(1, { ...alice, message: "", repeated: true, ...(client_id && { client_id }) }));
    expect(await sending).toMatchObject({ seq: 1 });
    scripted.room.close();
  });

  test("is no answer to an edit: that has an ack", async () => {
    const scripted = await aliceRoom().open();
    const editing = scripted.room.edit("m1", "new");
    const client_id = String(scripted.sent[0]?.client_id);
    scripted.socket.deliver(message(1, { ...bob, client_id }), message(2, { ...alice, client_id }));
    expect(await outcomeOf(editing)).toBe("pending");
    scripted.socket.deliver({ type: "ack", client_id });
    expect(await outcomeOf(editing)).toEqual({ value: undefined });
    scripted.room.close();
  });
});

describe("one's own message", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("through another tab does not answer one that was not sent yet: the server does", async () => {
    const scripted = await aliceRoom().open();
    const [first, second] = ["1", "2"].map((client_id) => scripted.room.send({ message: client_id, client_id }));
    scripted.socket.deliver(message(1, { ...alice, client_id: "2", message: "the other tab's" }));
    scripted.socket.deliver(message(2, { ...alice, client_id: "1" }));
    expect(textsOf(scripted)).toEqual(["1", "2"]);
    scripted.socket.deliver(message(1, { ...alice, client_id: "2", repeated: true }));
    expect(await Promise.all([first, second])).toMatchObject([{ seq: 2 }, { seq: 1 }]);
    scripted.room.close();
  });

  test.each([
    ["sub", { sub: "alice" }],
    ["username", { sub: "1", username: "alice" }],
  ])("is known by the token's %s", async (_claim, claims) => {
    const scripted = await aliceRoom(claims).open();
    const sending = scripted.room.send({ message: "mine", client_id: "1" });
    scripted.socket.deliver(message(1, { ...alice, client_id: "1", message: "mine" }));
    expect(await sending).toMatchObject({ seq: 1 });
    scripted.room.close();
  });

  test("under a name that was changed since the token was made is known by the id that was drawn for it", async () => {
    const scripted = await aliceRoom().open();
    const first = scripted.room.send("a");
    const renamed = from("alice-smith");
    scripted.socket.deliver(message(1, { ...renamed, client_id: String(scripted.sent[0]?.client_id) }));
    expect(await first).toMatchObject({ seq: 1 });
    // From then on the name is known, on the next line too, whose token says the old one again.
    await scripted.breakLine();
    await scripted.open(1);
    const second = scripted.room.send({ message: "b", client_id: "1" });
    scripted.socket.deliver(message(2, { ...renamed, client_id: "1" }));
    expect(await second).toMatchObject({ seq: 2 });
    scripted.room.close();
  });

  test("under a name that was changed, with a client id of the app's, is asked for once more, and is then known", async () => {
    const scripted = await aliceRoom().open();
    const renamed = from("alice-smith");
    const first = scripted.room.send({ message: "a", client_id: "1" });
    scripted.socket.deliver(message(1, { ...renamed, client_id: "1", message: "a" }));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(textsOf(scripted)).toEqual(["a", "a"]);
    scripted.socket.deliver(message(1, { ...renamed, client_id: "1", message: "a", repeated: true }));
    expect(await first).toMatchObject({ seq: 1 });
    const second = scripted.room.send({ message: "b", client_id: "2" });
    scripted.socket.deliver(message(2, { ...renamed, client_id: "2", message: "b" }));
    expect(await second).toMatchObject({ seq: 2 });
    scripted.room.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is asked for once more and no oftener, whatever others say with its client id", async () => {
    const scripted = await aliceRoom().open();
    const sending = scripted.room.send({ message: "a", client_id: "1" });
    for (let seq = 1; seq <= 9; seq++) {
      scripted.socket.deliver(message(seq, { ...bob, client_id: "1", message: "a" }));
      await vi.advanceTimersByTimeAsync(2_000);
    }
    expect(textsOf(scripted)).toEqual(["a", "a"]);
    await closing(scripted, sending);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that a line which is alive does not answer goes over another one", async () => {
    const scripted = await aliceRoom().open();
    const sending = scripted.room.send("a");
    for (let seq = 1; seq <= 6; seq++) {
      await vi.advanceTimersByTimeAsync(9_000);
      scripted.socket.deliver(message(seq, bob));
    }
    await vi.advanceTimersByTimeAsync(6_000);
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { reason: "no answer" } });
    await scripted.comeBack();
    await scripted.open(6);
    expect(textsOf(scripted)).toEqual(["a"]);
    await closing(scripted, sending);
    await settled();
  });
});

describeOnBoth("two people whose apps count their client ids", {}, (stack) => {
  const count = 20;
  const ids = Array.from({ length: count }, (_, index) => String(index));

  test("in a room: each message is stored once, and answered with itself", async () => {
    const names = people("alice", "bob");
    await stack().introduce(...names);
    const url = urlOf(stack());
    const rooms = names.map((name, index) => connectRoom(names[1 - index] ?? "", { ...as(name, url), since: 0 }));
    await Promise.all(rooms.map((room) => reached(room, "open")));
    const sent = await Promise.all(
      rooms.map((room, index) =>
        Promise.all(ids.map((client_id) => room.send({ message: `${names[index]} ${client_id}`, client_id }))),
      ),
    );
    for (const room of rooms) room.close();
    const stored = await history(names[0], url, names[1]);
    for (const [index, name] of names.entries()) {
      const own = stored.filter(({ from_user }) => from_user.username === name);
      expect(own.map(({ content }) => content)).toEqual(ids.map((id) => `${name} ${id}`));
      expect(sent[index]?.map(({ id, from_user }) => [id, from_user.username])).toEqual(
        own.map(({ id }) => [id, name]),
      );
    }
  });

  test("in live chat and rooms: each message is stored once, and answered with itself", async () => {
    const names = people("alice", "bob");
    await stack().introduce(...names);
    const url = urlOf(stack());
    const { id: chatId } = await createApi(as(names[0], url)).createGroup({ name: "group", members: [names[1]] });
    const chat = connectEvents("/chat", as(names[0], url));
    const rooms = connectEvents("/rooms", as(names[1], url));
    const isListed = heard(rooms, ({ event }) => event === "connectRooms");
    await Promise.all([rooms.send("connectRooms", {}), isListed, reached(chat, "open")]);
    const [own, others] = await Promise.all([
      Promise.all(
        ids.map((clientId) => chat.send("chat:message_send", { chatId, content: `a ${clientId}`, clientId })),
      ),
      Promise.all(
        ids.map((client_id) => rooms.send("sendMessage", { room_id: chatId, message: `b ${client_id}`, client_id })),
      ),
    ]);
    chat.close();
    rooms.close();
    expect(own.map(({ content, sender }) => [content, sender.id])).toEqual(ids.map((id) => [`a ${id}`, names[0]]));
    expect(others.map(({ message, sender_id }) => [message, sender_id])).toEqual(
      ids.map((id) => [`b ${id}`, names[1]]),
    );
    expect(await history(names[0], url, chatId)).toHaveLength(2 * count);
  });
});
