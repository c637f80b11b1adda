import { expect, test } from "vitest";
import { describeOnBoth } from "../support/stack.ts";
import {
  acknowledged,
  ask,
  enterRooms,
  expectNext,
  expectNothing,
  introduceAs,
  makeGroup,
  openChat,
  openRooms,
  people,
  post,
  receiveEvent,
  refusalOf,
} from "./sockets.ts";

const newMessage = (recipient_id: readonly string[], message: object, more: object = {}) => ({
  room_name: "a room",
  type: "peer-to-peer",
  recipient_id,
  message: { message: "", ...message },
  ...more,
});

describeOnBoth("/rooms", { nodes: 2 }, (stack) => {
  test("[ROOMS-2] the list: groups from their making, direct ones from their first message on, newest first", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const names = { first_name: "Bob", last_name: "B", avatar: "https://files.example/bob.png" };
    await introduceAs(stack(), bob, { username: bob, ...names });
    const group = await makeGroup(stack(), alice, carol);
    await stack().connect(alice, `/ws/${carol}/`);
    await post(stack(), bob, alice, "hi");
    const { list } = await enterRooms(stack(), alice);
    expect(list).toHaveLength(2);
    const message = { sender_id: bob, message: "hi", recipients: [{ _id: alice, msg_seen: false }], seq: 1 };
    expect(list[0]).toEqual({
      _id: expect.any(String),
      room_name: "Bob B",
      type: "peer-to-peer",
      recipients: [{ _id: bob, first_name: "Bob", last_name: "B", image_url: names.avatar }],
      creator_id: null,
      image_url: names.avatar,
      last_message: expect.objectContaining(message),
      unread_count: 1,
      seq: 1,
    });
    expect(list[1]).toMatchObject({
      _id: group,
      room_name: "a group",
      type: "group-chat",
      recipients: [{ _id: carol }],
      creator_id: alice,
      last_message: null,
      unread_count: 0,
      seq: 0,
    });
  });

  test("[ROOMS-3] before connectRooms nothing but what is addressed to the user by name", async () => {
    const [alice, bob] = people("alice", "bob");
    const old = await makeGroup(stack(), alice, bob);
    const ofBob = await openRooms(stack(), bob, { node: 1 });
    const { socket: ofAlice } = await enterRooms(stack(), alice);
    const { _id } = await acknowledged(ofAlice, "sendMessage", { room_id: old, message: "unheard" });
    await acknowledged(ofAlice, "typing", { room_id: old, message: "unheard" });
    await acknowledged(ofAlice, "editMessage", { room_id: old, message_id: _id, message: "unheard too" });
    const sent = await acknowledged(ofAlice, "sendNewMessage", newMessage([bob], { message: "for you" }));
    // Also to a sender who has not heard yet that the conversation is there.
    expect(sent).toMatchObject({ message: "for you", recipients: [{ _id: bob, msg_seen: false }] });
    await expectNext(ofBob, bob, { message: "for you", sender_id: alice });
    const group = await acknowledged(ofAlice, "createGroup", { room_name: "new", recipients: [bob] });
    await expectNext(ofBob, `group_${bob}`, { _id: group._id });
    // As well where the conversation is not new.
    await acknowledged(ofAlice, "sendNewMessage", newMessage([bob], { message: "again" }));
    await expectNext(ofBob, bob, { message: "again", seq: 2 });
    await acknowledged(ofBob, "connectRooms", {});
    await acknowledged(ofAlice, "sendMessage", { room_id: old, message: "heard" });
    await expectNext(ofBob, "message", { room_id: old, message: "heard", seq: 3 });
  });

  test("[ROOMS-3] rooms that come later are joined by themselves", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const { socket: ofBob } = await enterRooms(stack(), bob, { node: 1 });
    const room_id = await makeGroup(stack(), alice, bob);
    await post(stack(), alice, room_id, "in a group");
    await expectNext(ofBob, `group_${bob}`, { _id: room_id, room_name: "a group" });
    await expectNext(ofBob, "message", { room_id, message: "in a group", recipients: [{ _id: bob, msg_seen: false }] });
    const chat = await openChat(stack(), alice);
    await acknowledged(chat, "chat:message_send", { receiverId: bob, content: "between us" });
    await expectNext(ofBob, "message", { message: "between us", seq: 1 });
    await expectNothing(ofBob, "/rooms");
  });

  test("[ROOMS-4] a message as the server holds it", async () => {
    const [alice, bob] = people("alice", "bob");
    const room_id = await makeGroup(stack(), alice, bob);
    const first = await post(stack(), bob, room_id, "first");
    const { socket: ofAlice } = await enterRooms(stack(), alice);
    const { socket: ofBob } = await enterRooms(stack(), bob, { node: 1 });
    const said = {
      _id: `chosen-${alice}`,
      room_id,
      message: "see",
      isStoryReply: true,
      reply_message: { _id: first.id, message: "first" },
      message_type: "text",
      attachments: ["https://files.example/a", { url: "https://files.example/b", kind: "map" }],
    };
    const recipients = [{ _id: "a stranger", msg_seen: true }];
    const data = await acknowledged(ofAlice, "sendMessage", { ...said, recipients, dateCreated: "1999" });
    expect(data).toMatchObject({ ...said, client_id: said._id, sender_id: alice, seq: 2 });
    expect(data.recipients).toEqual([{ _id: bob, msg_seen: false }]);
    expect(await ofBob.receive()).toEqual({ event: "message", data });
    // A chosen id that is another's is taken; one's own says that it was sent before.
    const taken = { room_id, message: "mine", _id: said._id };
    expect(await refusalOf(ofBob, "sendMessage", taken)).toBe("conflict");
    expect(await acknowledged(ofAlice, "sendMessage", said)).toEqual({ ...data, repeated: true });
    expect(await acknowledged(ofBob, "sendMessage", { room_id, message: "next" })).toMatchObject({ seq: 3 });
  });

  test("[ROOMS-17] a quote is the answered message as it is, whatever the client says of it", async () => {
    const [alice, bob] = people("alice", "bob");
    const room_id = await makeGroup(stack(), alice, bob);
    const first = await post(stack(), bob, room_id, "I stay");
    const { socket: ofAlice } = await enterRooms(stack(), alice);
    const { socket: ofBob } = await enterRooms(stack(), bob, { node: 1 });
    const forged = { _id: first.id, message: "I quit", sender_id: bob, text: "I quit", content: { message: "I quit" } };
    const data = await acknowledged(ofAlice, "sendMessage", { room_id, message: "he said", reply_message: forged });
    const quote = { _id: first.id, message: "I stay", sender_id: bob, first_name: "", last_name: "" };
    expect(data.reply_message).toEqual({ ...quote, dateCreated: expect.any(String) });
    expect(await ofBob.receive()).toEqual({ event: "message", data });
    const history = async () => (await stack().request(bob, "GET", `/api/rooms/${room_id}/messages`)).body.messages;
    expect((await history())[0].reply_message).toEqual(data.reply_message);
    await acknowledged(ofBob, "editMessage", { room_id, message_id: first.id, message: "I stay!" });
    expect((await history())[0].reply_message).toMatchObject({ message: "I stay!" });
    await acknowledged(ofBob, "deleteMessage", { room_id, message_id: first.id });
    expect((await history())[0].reply_message).toMatchObject({ _id: first.id, message: "", deleted: true });
    const { list } = await enterRooms(stack(), bob);
    expect(list[0].last_message.reply_message).toMatchObject({ message: "", deleted: true });
    // Without a message that is answered there is nothing to show.
    const { _id: _, ...rest } = forged;
    const alone = { room_id, message: "so", isStoryReply: true, reply_message: rest };
    const shown = await acknowledged(ofAlice, "sendMessage", alone);
    expect(shown).toMatchObject({ isStoryReply: true });
    expect(shown.reply_message).toEqual({});
  });

  test("[ROOMS-4] a chosen id says nothing of messages elsewhere", async () => {
    const [alice, bob, eve] = people("alice", "bob", "eve");
    const room_id = await makeGroup(stack(), alice, bob);
    const secret = await post(stack(), bob, room_id, "secret");
    const own = await makeGroup(stack(), eve);
    const { socket } = await enterRooms(stack(), eve);
    const copy = { room_id: own, message: "mine", _id: secret.id };
    expect(await acknowledged(socket, "sendMessage", copy)).toMatchObject({ _id: secret.id, room_id: own, seq: 1 });
    await acknowledged(socket, "editMessage", { room_id: own, message_id: secret.id, message: "still mine" });
    const ofBob = await openChat(stack(), bob, { node: 1 });
    await acknowledged(ofBob, "chat:message_edit", { messageId: secret.id, content: "edited" });
    const text = async (user: string, room: string) =>
      (await stack().request(user, "GET", `/api/rooms/${room}/messages`)).body.messages.map(
        (message: { content: string }) => message.content,
      );
    expect([await text(bob, room_id), await text(eve, own)]).toEqual([["edited"], ["still mine"]]);
  });

  test("[ROOMS-5] typing is told to all in the room, the typist too", async () => {
    const [alice, bob] = people("alice", "bob");
    const room_id = await makeGroup(stack(), alice, bob);
    const { socket: ofAlice } = await enterRooms(stack(), alice);
    const { socket: ofBob } = await enterRooms(stack(), bob, { node: 1 });
    const chat = await openChat(stack(), bob, { node: 1 });
    const { answer, events } = await ask(ofAlice, "typing", { room_id, message: "I am typing..." });
    expect(answer.data).toEqual({ room_id });
    const data = { room_id, message: "I am typing...", user_id: alice, first_name: "" };
    expect(events).toEqual([{ event: "typing", data }]);
    expect(await ofBob.receive()).toEqual(events[0]);
    expect(await chat.receive()).toEqual({ event: "chat:typing_start", data: { chatId: room_id, userId: alice } });
    await acknowledged(ofAlice, "typing", { room_id, message: "" });
    expect(await chat.receive()).toEqual({ event: "chat:typing_stop", data: { chatId: room_id, userId: alice } });
  });

  test("[ROOMS-6] who is not in the room yet gets the event of their name, who is gets message, nobody both", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const { socket: ofAlice } = await enterRooms(stack(), alice);
    const { socket: ofAliceElsewhere } = await enterRooms(stack(), alice, { node: 1 });
    const entered = [(await enterRooms(stack(), bob)).socket, (await enterRooms(stack(), bob, { node: 1 })).socket];
    const outside = await openRooms(stack(), bob, { node: 1 });
    ofAlice.send({ event: "sendNewMessage", data: newMessage([bob], { message: "one" }) });
    const data = await expectNext(ofAlice, "message", { message: "one", sender_id: alice });
    expect(await ofAliceElsewhere.receive()).toEqual({ event: "message", data });
    for (const socket of [...entered, outside]) expect(await socket.receive()).toEqual({ event: bob, data });
    ofAlice.send({ event: "sendNewMessage", data: newMessage([bob], { message: "two" }) });
    for (const socket of entered) await expectNext(socket, "message", { message: "two", seq: 2 });
    await expectNext(outside, bob, { message: "two", seq: 2 });
    await expectNext(ofAlice, "message", { message: "two", seq: 2 });
    for (const socket of [ofAlice, outside]) await expectNothing(socket, "/rooms");
  });

  test("[ROOMS-6] a conversation that was not in the list is news, whenever it was made", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    // Made, but nothing said: it is not listed.
    await (await stack().connect(alice, `/ws/${bob}/`)).receiveMany(2);
    const { socket: ofBob, list } = await enterRooms(stack(), bob, { node: 1 });
    expect(list).toEqual([]);
    const { socket: ofAlice } = await enterRooms(stack(), alice);
    await acknowledged(ofAlice, "sendNewMessage", newMessage([bob], { message: "hello" }));
    await expectNext(ofBob, bob, { message: "hello", seq: 1 });
  });

  test("[ROOMS-7] one without a message finds or makes the conversation and stores nothing", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const { socket: ofAlice } = await enterRooms(stack(), alice);
    const { socket: ofBob } = await enterRooms(stack(), bob, { node: 1 });
    const first = await acknowledged(ofAlice, "sendNewMessage", newMessage([bob], {}));
    expect(await acknowledged(ofAlice, "sendNewMessage", newMessage([bob], { _id: "m" }))).toEqual(first);
    await acknowledged(ofAlice, "sendMessage", { room_id: first.room_id, message: "now" });
    await expectNext(ofBob, "message", { room_id: first.room_id, message: "now", seq: 1 });
    const unknown = newMessage(["nobody-at-all"], { message: "hi" });
    expect(await refusalOf(ofBob, "sendNewMessage", unknown)).toBe("not_found");
  });

  test("[ROOMS-8] each member's sockets, on both nodes, are told of a new group by name", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    await stack().introduce(alice, bob, carol);
    const sockets = await Promise.all(
      [alice, bob, carol].flatMap((user) =>
        [0, 1].map(async (node) => ({ user, socket: await openRooms(stack(), user, { node }) })),
      ),
    );
    const group = { _id: `group-${alice}`, room_name: "ours", recipients: [bob, carol], type: "group-chat" };
    const creator = await openRooms(stack(), alice);
    const { answer } = await ask(creator, "createGroup", { ...group, creator_id: alice, image_url: "" });
    expect(answer.data).toMatchObject({ _id: group._id, room_name: "ours", creator_id: alice, image_url: null });
    for (const { user, socket } of sockets) {
      const data = await expectNext(socket, `group_${user}`, { _id: group._id, room_name: "ours", creator_id: alice });
      const others = [alice, bob, carol].filter((other) => other !== user);
      expect(data.recipients.map((member: { _id: string }) => member._id).toSorted()).toEqual(others.toSorted());
    }
    expect((await ask(creator, "createGroup", group)).answer.data.code).toBe("conflict");
    // Somebody's name, and a conversation that is not the creator's.
    const foreign = await makeGroup(stack(), carol);
    for (const _id of [bob, foreign]) {
      const { answer: made } = await ask(creator, "createGroup", { room_name: "other", recipients: [], _id });
      expect(made.data).toMatchObject({ room_name: "other", creator_id: alice });
      expect(made.data._id).not.toBe(_id);
    }
    const unknown = { room_name: "x", recipients: ["nobody-at-all"] };
    expect((await ask(creator, "createGroup", unknown)).answer.data.code).toBe("invalid_frame");
  });

  test("[ROOMS-9] several recipients make a group; a retry, however soon and wherever, makes nothing twice", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    await stack().introduce(alice, bob, carol);
    const { socket: ofBob } = await enterRooms(stack(), bob, { node: 1 });
    const here = await openRooms(stack(), alice);
    const there = await openRooms(stack(), alice, { node: 1 });
    const message = { _id: `m-${alice}`, message: "all of you" };
    const send = newMessage([bob, carol], message, { room_name: "three", image_url: "https://files.example/3.png" });
    const tries = await Promise.all(
      [here, here, there, there].map(async (socket, index) => {
        socket.send({ event: "sendNewMessage", data: send, id: `try-${index}` });
        return receiveEvent(socket, "ack");
      }),
    );
    const acknowledgements = [...tries];
    expect(new Set(acknowledgements.map((data) => data.room_id)).size).toBe(1);
    expect(acknowledgements.filter((data) => data.repeated !== true)).toHaveLength(1);
    const [{ room_id }] = acknowledgements;
    await expectNext(ofBob, `group_${bob}`, { _id: room_id, room_name: "three", type: "group-chat" });
    await expectNext(ofBob, bob, { room_id, message: "all of you", seq: 1 });
    await acknowledged(ofBob, "sendMessage", { room_id, message: "thanks" });
    const { list } = await enterRooms(stack(), bob);
    expect(list).toMatchObject([{ _id: room_id, room_name: "three", creator_id: alice, seq: 2 }]);
    // Also while there was nothing to store.
    const empty = newMessage([bob, carol], { _id: `e-${alice}` });
    const first = await acknowledged(here, "sendNewMessage", empty);
    expect(await acknowledged(there, "sendNewMessage", empty)).toEqual(first);
    expect(first.room_id).not.toBe(room_id);
  });
});
