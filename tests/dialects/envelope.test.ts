/** What the event dialects share: acknowledgements, refusals, claims, and retries that meet another dialect's first try. */
import { expect, test } from "vitest";
import { describeOnBoth } from "../support/stack.ts";
import { dialects } from "./dialects.ts";
import {
  acknowledged,
  ask,
  enterRooms,
  expectNothing,
  makeGroup,
  openChat,
  openRooms,
  people,
  post,
  refusalOf,
} from "./sockets.ts";

describeOnBoth("the envelope", { nodes: 2 }, (stack) => {
  for (const path of ["/chat", "/rooms"] as const) {
    const open = path === "/chat" ? openChat : openRooms;
    const read = path === "/chat" ? "chat:message_read" : "messageSeen";

    test(`[EVENT-1] [EVENT-3] ${path} refuses what is no envelope and no event, and lives on`, async () => {
      const [alice] = people("alice");
      const socket = await open(stack(), alice);
      const refusals: [unknown, object][] = [
        ["no JSON", { code: "invalid_json" }],
        ["[]", { code: "invalid_frame" }],
        ["null", { code: "invalid_frame" }],
        [{ data: {} }, { code: "invalid_frame", message: expect.stringMatching(/^event: /) }],
        [{ event: "" }, { code: "invalid_frame", message: expect.stringMatching(/^event: /) }],
        [
          { event: read, data: {}, extra: 1 },
          { code: "invalid_frame", event: read, message: "extra: unknown field" },
        ],
        [
          { event: "no such event", data: {} },
          { code: "unknown_type", event: "no such event" },
        ],
        [
          { event: "constructor", data: {} },
          { code: "unknown_type", event: "constructor" },
        ],
        [
          { event: read, data: 1 },
          { code: "invalid_frame", event: read },
        ],
      ];
      for (const [frame, data] of refusals) {
        socket.send(frame);
        const error = await socket.receive();
        expect(error).toEqual({ event: "error", data: expect.objectContaining(data) });
      }
      socket.socket.send(Buffer.from("{}"), { binary: true });
      expect(await socket.receive()).toMatchObject({ event: "error", data: { code: "invalid_frame" } });
      await expectNothing(socket, path);
    });

    test(`[EVENT-2] [EVENT-3] ${path} answers an id, string or number, with that id`, async () => {
      const [alice] = people("alice");
      const socket = await open(stack(), alice);
      const [event, data] = path === "/chat" ? ["user:get_status", { userId: alice }] : ["connectRooms", {}];
      for (const id of ["a", "", 0, -1.5, 7]) {
        socket.send({ event, data, id });
        expect((await socket.receive()).event).not.toBe("ack");
        expect(await socket.receive()).toEqual({ event: "ack", id, data: expect.anything() });
        socket.send({ event: "no such event", id });
        expect(await socket.receive()).toMatchObject({ event: "error", id, data: { code: "unknown_type" } });
      }
      // Even where the rest of the envelope is bad.
      socket.send({ event: 1, id: "still there" });
      expect(await socket.receive()).toMatchObject({ event: "error", id: "still there" });
      for (const id of [null, true, {}, "x".repeat(65)]) {
        socket.send({ event, data, id });
        const error = await socket.receive();
        expect(error).toMatchObject({ event: "error", data: { code: "invalid_frame", event } });
        expect(error).not.toHaveProperty("id");
      }
      // Without an id nothing is acknowledged.
      socket.send({ event, data });
      expect((await socket.receive()).event).not.toBe("ack");
      await expectNothing(socket, path);
    });
  }

  test("[EVENT-1] every event refuses a field that it does not know, and says which", async () => {
    const [alice] = people("alice");
    const chat = await openChat(stack(), alice);
    const rooms = await openRooms(stack(), alice);
    const id = "x";
    const chatEvents: [string, object][] = [
      ["chat:message_send", { receiverId: alice, content: "hi" }],
      ["chat:message_edit", { messageId: id, content: "hi" }],
      ["chat:message_delete", { messageId: id }],
      ["chat:message_pin", { messageId: id, pinned: true }],
      ["chat:message_read", { messageId: id }],
      ["chat:typing_start", { chatId: id }],
      ["chat:typing_stop", { chatId: id }],
      ["user:get_status", { userId: alice }],
      ["ping", {}],
    ];
    const roomEvents: [string, object][] = [
      ["connectRooms", {}],
      ["sendMessage", { room_id: id, message: "hi" }],
      ["typing", { room_id: id, message: "hi" }],
      ["sendNewMessage", { room_name: "", type: "peer-to-peer", recipient_id: [alice], message: { message: "hi" } }],
      ["createGroup", { room_name: "a", recipients: [] }],
      ["deleteMessage", { room_id: id, message_id: id }],
      ["editMessage", { room_id: id, message_id: id, message: "hi" }],
      ["messageSeen", { room_id: id, message_id: id }],
      ["pinMessage", { room_id: id, _id: id, pin_message: true }],
      ["addMembers", { room_id: id, members: [alice] }],
      ["removeMember", { room_id: id, user_id: alice }],
      ["leaveGroup", { room_id: id }],
      ["ping", {}],
    ];
    for (const [socket, events] of [
      [chat, chatEvents],
      [rooms, roomEvents],
    ] as const) {
      for (const [event, data] of events) {
        const { answer } = await ask(socket, event, { ...data, colour: "red" });
        expect(answer.data).toMatchObject({ code: "invalid_frame", event, message: "data.colour: unknown field" });
      }
    }
  });

  test("[EVENT-4] an id that claims to be the sender's must be the token's", async () => {
    const [alice, bob] = people("alice", "bob");
    const roomId = await makeGroup(stack(), alice, bob);
    const chat = await openChat(stack(), alice);
    const { socket: rooms } = await enterRooms(stack(), alice);
    const { id } = await post(stack(), alice, roomId, "hello");
    expect(await chat.receive()).toMatchObject({ event: "chat:message_receive" });
    expect(await rooms.receive()).toMatchObject({ event: "message" });
    const message = { room_id: roomId, message_id: id };
    const lies: [string, object][] = [
      ["connectRooms", { user_id: bob }],
      ["sendMessage", { room_id: roomId, message: "hi", sender_id: bob }],
      ["typing", { room_id: roomId, message: "hi", user_id: bob }],
      [
        "sendNewMessage",
        { room_name: "a", type: "peer-to-peer", recipient_id: [bob], message: { message: "hi", sender_id: bob } },
      ],
      ["createGroup", { room_name: "a", recipients: [bob], creator_id: bob }],
      ["deleteMessage", { ...message, user_id: bob }],
      ["editMessage", { ...message, message: "hi", user_id: bob }],
      ["messageSeen", { ...message, user_id: bob }],
      ["pinMessage", { _id: id, room_id: roomId, pin_message: true, user_id: bob }],
    ];
    for (const [event, data] of lies) expect(await refusalOf(rooms, event, data)).toBe("forbidden");
    const send = { chatId: roomId, content: "hi", senderId: bob };
    expect(await refusalOf(chat, "chat:message_send", send)).toBe("forbidden");
    await expectNothing(rooms, "/rooms");
    // The truth is welcome, and names are not claims: they come from the profile.
    const honest = { room_id: roomId, message: "hi", sender_id: alice, first_name: "Mallory", last_name: "M" };
    const data = await acknowledged(rooms, "sendMessage", honest);
    expect(data).toMatchObject({ sender_id: alice, first_name: "", last_name: "" });
  });

  test("[EVENT-5] what is not the caller's to see is forbidden, whether it exists or not", async () => {
    const [alice, bob, eve] = people("alice", "bob", "eve");
    const theirs = await makeGroup(stack(), alice, bob);
    const { id: secret } = await post(stack(), alice, theirs, "a secret");
    const own = await makeGroup(stack(), eve);
    const chat = await openChat(stack(), eve);
    const { socket: rooms } = await enterRooms(stack(), eve);
    const answers: unknown[] = [];
    for (const [room_id, message_id] of [
      [theirs, secret],
      ["nowhere", "nothing"],
      [own, secret],
      [own, "nothing"],
    ]) {
      const message = { room_id, message_id };
      const attempts: [typeof chat, string, object][] = [
        [chat, "chat:message_edit", { messageId: message_id, content: "mine" }],
        [chat, "chat:message_delete", { messageId: message_id }],
        [chat, "chat:message_pin", { messageId: message_id, pinned: true }],
        [chat, "chat:message_read", { messageId: message_id }],
        [rooms, "editMessage", { ...message, message: "mine" }],
        [rooms, "deleteMessage", message],
        [rooms, "messageSeen", message],
        [rooms, "pinMessage", { _id: message_id, room_id, pin_message: true }],
        [rooms, "sendMessage", { room_id: own, message: "re", reply_message: { _id: message_id } }],
      ];
      const refusals = [];
      for (const [socket, event, data] of attempts) {
        const { answer, events } = await ask(socket, event, data);
        expect(events).toEqual([]);
        refusals.push(answer.data);
      }
      for (const refusal of refusals) expect(refusal.code).toBe("forbidden");
      answers.push(refusals);
    }
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    for (const room_id of [theirs, "nowhere"]) {
      expect(await refusalOf(chat, "chat:message_send", { chatId: room_id, content: "hi" })).toBe("forbidden");
      expect(await refusalOf(chat, "chat:typing_start", { chatId: room_id })).toBe("forbidden");
      expect(await refusalOf(rooms, "sendMessage", { room_id, message: "hi" })).toBe("forbidden");
      expect(await refusalOf(rooms, "typing", { room_id, message: "hi" })).toBe("forbidden");
      for (const [event, data] of [
        ["addMembers", { members: [eve] }],
        ["removeMember", { user_id: alice }],
        ["leaveGroup", {}],
        ["updateGroup", { room_name: "mine" }],
      ] as const) {
        expect(await refusalOf(rooms, event, { room_id, ...data })).toBe("forbidden");
      }
    }
  });

  test("[EVENT-6] a client id that another dialect brought, on another node, makes no second message", async () => {
    const [alice, bob] = people("alice", "bob");
    const roomId = await makeGroup(stack(), alice, bob);
    const { socket: ofBob } = await enterRooms(stack(), bob, { node: 1 });
    const retries = [
      { type: "chat_message", message: "once", client_id: "c" },
      { event: "chat:message_send", data: { chatId: roomId, content: "once", clientId: "c" } },
      { event: "sendMessage", data: { room_id: roomId, message: "once", client_id: "c" } },
    ];
    for (const [node, dialect] of dialects.entries()) {
      const socket = await dialect.open(stack(), alice, roomId, node % 2);
      if (dialect.name === "channels") await socket.receiveMany(2);
      const retry = retries[node];
      socket.send(retry);
      const first = await socket.receive();
      socket.send(retry);
      const second = await socket.receive();
      const isRepeated = (frame: typeof first) => (frame.data ?? frame).repeated === true;
      expect([isRepeated(first), isRepeated(second)]).toEqual([node > 0, true]);
      expect(dialect.observe(second)).toMatchObject({ what: "created", seq: 1, text: "once" });
      expect((second.data ?? second)[["client_id", "clientId", "client_id"][node] ?? ""]).toBe("c");
      await socket.close();
    }
    await post(stack(), alice, roomId, "after");
    const messages = [await ofBob.receive(), await ofBob.receive()].map(({ data }) => [data.seq, data.message]);
    expect(messages).toEqual([
      [1, "once"],
      [2, "after"],
    ]);
  });

  test("[EVENT-3] a refusal names the client id, also of a message inside the data", async () => {
    const [alice] = people("alice");
    const chat = await openChat(stack(), alice);
    const rooms = await openRooms(stack(), alice);
    const send = { chatId: "nowhere", content: "hi", clientId: "c1" };
    expect((await ask(chat, "chat:message_send", send)).answer.data.client_id).toBe("c1");
    const message = { _id: "m1", message: "hi" };
    const nested = { room_name: "a", type: "peer-to-peer", recipient_id: ["nobody-at-all"], message };
    expect((await ask(rooms, "sendNewMessage", nested)).answer.data).toMatchObject({
      code: "not_found",
      client_id: "m1",
    });
  });
});

describeOnBoth("the envelope under a rate", { settings: { SEND_RATE: "1", SEND_BURST: "1" } }, (stack) => {
  test("[EVENT-3] says how long to wait", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const chat = await openChat(stack(), alice);
    const send = { receiverId: bob, content: "hi" };
    await acknowledged(chat, "chat:message_send", send);
    const { answer } = await ask(chat, "chat:message_send", send);
    expect(answer.data).toMatchObject({ code: "rate_limited", retry_after: expect.any(Number) });
  });
});
