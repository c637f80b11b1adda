import { expect, test } from "vitest";
import type { Communicator } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import {
  acknowledged,
  ask,
  enterRooms,
  expectNothing,
  makeGroup,
  openChat,
  people,
  post,
  receiveEvent,
  refusalOf,
} from "./sockets.ts";

describeOnBoth("/chat", { nodes: 2 }, (stack) => {
  test("[LIVE-2] [LIVE-3] a message reaches all sockets of both, the sender's with its acknowledgement", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    // In a conversation that is only being made, the event may come after the acknowledgement.
    await post(stack(), alice, bob, "first");
    const sender = await openChat(stack(), alice);
    const others = [
      await openChat(stack(), alice, { node: 1 }),
      await openChat(stack(), bob),
      await openChat(stack(), bob, { node: 1 }),
    ];
    const send = { receiverId: bob, content: "hi", clientId: "c" };
    const { answer, events } = await ask(sender, "chat:message_send", send);
    expect(events).toEqual([{ event: "chat:message_receive", data: answer.data }]);
    expect(answer.data).toMatchObject({ content: "hi", clientId: "c", seq: 2, mediaUrl: null, mediaType: null });
    for (const other of others) expect(await other.receive()).toEqual(events[0]);
    // And by the chat's id, either way.
    const { chatId } = answer.data;
    const [, ofBob] = others;
    const reply = { chatId, content: "hello", replyTo: answer.data.id, attachments: ["https://files.example/a"] };
    expect(await acknowledged(ofBob as Communicator, "chat:message_send", reply)).toMatchObject({ ...reply, seq: 3 });
    expect(await sender.receive()).toMatchObject({ event: "chat:message_receive", data: reply });
  });

  test("[LIVE-3] one of receiver and chat, and one that is there", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(bob);
    const chat = await openChat(stack(), alice);
    const bad: [object, string][] = [
      [{ content: "hi" }, "invalid_frame"],
      [{ receiverId: bob, chatId: "a", content: "hi" }, "invalid_frame"],
      [{ receiverId: bob }, "invalid_frame"],
      [{ receiverId: bob, content: "" }, "invalid_frame"],
      [{ receiverId: "nobody-at-all", content: "hi" }, "not_found"],
    ];
    for (const [data, code] of bad) expect(await refusalOf(chat, "chat:message_send", data)).toBe(code);
    const { status, body } = await stack().request(alice, "GET", "/api/conversations");
    expect([status, body.results]).toEqual([200, []]);
    // To oneself, as in every dialect.
    expect(await acknowledged(chat, "chat:message_send", { receiverId: alice, content: "note" })).toMatchObject({
      seq: 1,
    });
  });

  test("[LIVE-4] media: either name of its type, four types, http and https alone", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(bob);
    const chat = await openChat(stack(), alice);
    const mediaUrl = "https://files.example/a.mp4";
    const send = (data: object) => ask(chat, "chat:message_send", { receiverId: bob, content: "", ...data });
    for (const mediaType of ["VIDEO", "AUDIO", "IMAGE", "FILE"]) {
      for (const field of ["LiveMediaType", "mediaType"]) {
        const { answer } = await send({ mediaUrl, [field]: mediaType });
        expect(answer.data).toMatchObject({ content: "", mediaUrl, mediaType });
      }
    }
    for (const data of [{ LiveMediaType: "video" }, { mediaType: "GIF" }]) {
      expect((await send({ mediaUrl, ...data })).answer.data.code).toBe("invalid_frame");
    }
    for (const url of ["javascript:alert(1)", "data:text/html,x", "ftp://x.example/a", "//x.example/a", "photo.jpg"]) {
      expect((await send({ mediaUrl: url })).answer.data).toMatchObject({
        code: "invalid_frame",
        message: "data.mediaUrl: expected an http or https URL",
      });
    }
    const { answer } = await send({ content: "plain", mediaUrl: "", LiveMediaType: null });
    expect(answer.data).toMatchObject({ content: "plain", mediaUrl: null, mediaType: null });
  });

  test("[LIVE-5] [LIVE-8] reading, editing, pinning and deleting answer and are told to all", async () => {
    const [alice, bob] = people("alice", "bob");
    const chatId = await makeGroup(stack(), alice, bob);
    const { id: messageId } = await post(stack(), alice, chatId, "hi");
    const ofAlice = await openChat(stack(), alice);
    const ofBob = await openChat(stack(), bob, { node: 1 });
    const steps: [Communicator, string, object, string, object][] = [
      [ofBob, "chat:message_read", { messageId }, "chat:message_read", { messageId, chatId, readBy: bob, seq: 1 }],
      [
        ofAlice,
        "chat:message_edit",
        { messageId, content: "ho" },
        "chat:message_edited",
        { messageId, chatId, content: "ho", editedBy: alice, editedAt: expect.any(String), seq: 2 },
      ],
      [
        ofBob,
        "chat:message_pin",
        { messageId, pinned: true },
        "chat:message_pinned",
        { messageId, chatId, pinned: true, pinnedBy: bob, seq: 3 },
      ],
      [
        ofAlice,
        "chat:message_delete",
        { messageId },
        "chat:message_deleted",
        { messageId, chatId, deletedBy: alice, seq: 4 },
      ],
    ];
    for (const [actor, event, data, told, said] of steps) {
      const { answer, events } = await ask(actor, event, data);
      expect(events).toEqual([{ event: told, data: said }]);
      expect(answer.data).toEqual(event === "chat:message_read" ? { messageId } : said);
      const other = actor === ofAlice ? ofBob : ofAlice;
      expect(await other.receive()).toEqual(events[0]);
    }
    expect(await refusalOf(ofBob, "chat:message_edit", { messageId, content: "x" })).toBe("forbidden");
  });

  test("[LIVE-8] [EVENT-8] what changes nothing is acknowledged, and told to nobody", async () => {
    const [alice, bob] = people("alice", "bob");
    const chatId = await makeGroup(stack(), alice, bob);
    const { id: messageId } = await post(stack(), alice, chatId, "hi");
    const chat = await openChat(stack(), alice);
    const vain: [string, object][] = [
      ["chat:message_edit", { messageId, content: "hi" }],
      ["chat:message_pin", { messageId, pinned: false }],
    ];
    for (const [event, data] of vain) {
      const { answer, events } = await ask(chat, event, data);
      expect(events).toEqual([]);
      expect(answer).toMatchObject({ event: "ack", data: { messageId, seq: 1 } });
    }
  });

  test("[LIVE-6] typing reaches the others, on every dialect, and none of the typist's own", async () => {
    const [alice, bob] = people("alice", "bob");
    const roomId = await makeGroup(stack(), alice, bob);
    const chat = await openChat(stack(), alice);
    const own = [
      await openChat(stack(), alice, { node: 1 }),
      await stack().connect(alice, `/ws/${roomId}/`, { node: 1 }),
    ];
    const ofBob = await openChat(stack(), bob, { node: 1 });
    const { socket: rooms } = await enterRooms(stack(), bob, { node: 1 });
    const channel = await stack().connect(bob, `/ws/${roomId}/`, { node: 1 });
    await channel.receiveMany(2);
    await (own[1] as Communicator).receiveMany(3);
    await acknowledged(chat, "chat:typing_start", { chatId: roomId });
    await acknowledged(chat, "chat:typing_stop", { chatId: roomId });
    for (const event of ["chat:typing_start", "chat:typing_stop"]) {
      expect(await ofBob.receive()).toEqual({ event, data: { chatId: roomId, userId: alice } });
    }
    for (const is_typing of [true, false]) {
      expect(await channel.receive()).toEqual({ type: "user_typing", user: alice, is_typing });
      const { data } = await rooms.receive();
      expect(data).toEqual({ room_id: roomId, user_id: alice, first_name: "", message: is_typing ? "typing" : "" });
    }
    await post(stack(), bob, roomId, "the end", { node: 1 });
    expect(await own[0]?.receive()).toMatchObject({ event: "chat:message_receive" });
    expect(await own[1]?.receive()).toMatchObject({ type: "chat_message" });
    expect(await chat.receive()).toMatchObject({ event: "chat:message_receive" });
  });

  test("[LIVE-7] any socket makes online; after the last one, when that was; strangers may not ask", async () => {
    const [alice, bob, eve] = people("alice", "bob", "eve");
    const roomId = await makeGroup(stack(), alice, bob);
    // To have put somebody into a group is not to know them, nor to have written to them.
    await post(stack(), alice, bob, "hello?");
    const before = await openChat(stack(), alice);
    expect(await refusalOf(before, "user:get_status", { userId: bob })).toBe("forbidden");
    await before.close();
    await post(stack(), bob, roomId, "I am here");
    const chat = await openChat(stack(), alice);
    const status = () => acknowledged(chat, "user:get_status", { userId: bob });
    expect(await status()).toEqual({ userId: bob, status: "offline", lastSeen: null });
    const sockets = [
      await openChat(stack(), bob, { node: 1 }),
      await stack().connect(bob, "/ws/notifications/", { node: 1 }),
    ];
    chat.send({ event: "user:get_status", data: { userId: bob } });
    expect(await receiveEvent(chat, "user:status")).toEqual({ userId: bob, status: "online", lastSeen: null });
    await sockets[0]?.close();
    expect(await status()).toMatchObject({ status: "online" });
    await sockets[1]?.close();
    let last = await status();
    while (last.lastSeen === null) last = await status();
    expect(last).toEqual({ userId: bob, status: "offline", lastSeen: expect.any(String) });
    // Who made a group, or began a conversation, has shown themselves there.
    const ofBob = await openChat(stack(), bob);
    expect(await acknowledged(ofBob, "user:get_status", { userId: alice })).toMatchObject({ status: "online" });
    const stranger = await openChat(stack(), eve);
    await (await stack().connect(eve, `/ws/${bob}/`)).receive();
    for (const userId of [bob, "nobody-at-all"]) {
      expect(await refusalOf(stranger, "user:get_status", { userId })).toBe("forbidden");
    }
    await expectNothing(stranger, "/chat");
  });
});
