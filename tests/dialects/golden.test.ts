/**
 * The examples of the original documents, sent as they stand, by users and in rooms of the very ids that they name. What
 * the server answers has the fields that the documents show, and those listed here beside them.
 */
import { describe, expect, test } from "vitest";
import type { Communicator, Frame } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import { liveChatExamples, type Payload, roomsEvents } from "./seed-documents.ts";
import { acknowledged, ask, enterRooms, expectNext, introduceAs, openChat, openRooms } from "./sockets.ts";

const [liveChatSend, liveChatReceive] = liveChatExamples("live-chat.txt");
const documented = roomsEvents();

function example(event: string): Payload {
  const found = documented.get(event);
  if (found === undefined) throw new Error(`the document shows no ${event}`);
  return found.example;
}

function expectFields(data: Frame, shown: Payload, additions: readonly string[]): void {
  expect(Object.keys(data).toSorted()).toEqual([...Object.keys(shown), ...additions].toSorted());
}

describe("the documents", () => {
  test("[LIVE-1] both of live chat show the same two payloads", () => {
    expect(liveChatExamples("live-chat.txt")).toHaveLength(2);
    expect(liveChatExamples("live-chat-setup.txt")).toEqual(liveChatExamples("live-chat.txt"));
  });

  test("[ROOMS-1] rooms names these events, and what each is answered with", () => {
    expect(Object.fromEntries([...documented].map(([event, { emits }]) => [event, emits]))).toEqual({
      connectRooms: "connectRooms",
      sendMessage: "message",
      typing: "typing",
      sendNewMessage: "user_id",
      createGroup: "group_{user_id}",
      deleteMessage: "delete",
      editMessage: "edited",
      messageSeen: "seen",
      pinMessage: "pin message",
    });
  });
});

describeOnBoth("live chat as its document shows it", { nodes: 2 }, (stack) => {
  test("[LIVE-1] [LIVE-2] chat:message_send and chat:message_receive", async () => {
    const shownSender = liveChatReceive?.sender as { id: string; name: string; avatar: null };
    const receiver = String(liveChatSend?.receiverId);
    await introduceAs(stack(), shownSender.id, { username: "ss", name: shownSender.name });
    await introduceAs(stack(), receiver, { username: "emil" });
    const ofSender = await openChat(stack(), shownSender.id);
    const ofSenderElsewhere = await openChat(stack(), shownSender.id, { node: 1 });
    const ofReceiver = await openChat(stack(), receiver, { node: 1 });
    ofSender.send({ event: "chat:message_send", data: liveChatSend });
    const received = await ofSender.receive();
    expect(received.event).toBe("chat:message_receive");
    expectFields(received.data, liveChatReceive ?? {}, ["seq"]);
    const { id, chatId, createdAt } = received.data;
    expect(received.data).toEqual({ ...liveChatReceive, id, chatId, createdAt, seq: 1 });
    expect(createdAt).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
    expect(await ofReceiver.receive()).toEqual(received);
    expect(await ofSenderElsewhere.receive()).toEqual(received);
  });
});

const MESSAGE_ADDITIONS = ["_id", "room_id", "seq"];
const mazrui = String(example("connectRooms").user_id);
const roomId = String(example("sendMessage").room_id);
const messageId = String(example("deleteMessage").message_id);

describeOnBoth("rooms as its document shows it", { nodes: 2 }, (stack) => {
  /** The room of the examples and its one message; the creator is the sender of most of them. */
  async function enterTheRoom(): Promise<readonly [Communicator, Communicator]> {
    await introduceAs(stack(), mazrui, { username: "mazrui", first_name: "Mazrui", last_name: "Y" });
    await introduceAs(stack(), "listener", { username: "listener" });
    const group = { type: "group", name: "The room", members: ["listener"], id: roomId };
    const { status } = await stack().request(mazrui, "POST", "/api/conversations", group);
    expect([201, 409]).toContain(status);
    const { socket: ofMazrui } = await enterRooms(stack(), mazrui);
    const { socket: ofListener } = await enterRooms(stack(), "listener", { node: 1 });
    return [ofMazrui, ofListener];
  }

  /** Sends the example; resolves with the event that both sockets get. */
  async function heard(sockets: readonly [Communicator, Communicator], event: string): Promise<Frame> {
    const [sender, other] = sockets;
    sender.send({ event, data: example(event) });
    const frame = await sender.receive();
    expect(frame.event).toBe(documented.get(event)?.emits);
    expect(await other.receive()).toEqual(frame);
    return frame.data;
  }

  test("[ROOMS-1] [ROOMS-2] connectRooms", async () => {
    await enterTheRoom();
    const socket = await openRooms(stack(), mazrui, { node: 1 });
    socket.send({ event: "connectRooms", data: example("connectRooms") });
    const { event, data } = await socket.receive();
    expect(event).toBe("connectRooms");
    expect(data).toEqual([expect.objectContaining({ _id: roomId, room_name: "The room", type: "group-chat" })]);
  });

  test("[ROOMS-1] [ROOMS-4] [ROOMS-5] sendMessage, typing, messageSeen, editMessage, pinMessage, deleteMessage", async () => {
    const sockets = await enterTheRoom();
    const [ofMazrui, ofListener] = sockets;

    const message = await heard(sockets, "sendMessage");
    expectFields(message, example("sendMessage"), ["_id", "seq"]);
    const { message: text, room_id, isStoryReply, reply_message, message_type, attachments } = example("sendMessage");
    expect(message).toMatchObject({ message: text, room_id, isStoryReply, reply_message, message_type, attachments });
    // Who sends is the token's, and when is the server's; the payload's word for them is not taken.
    expect(message).toMatchObject({ sender_id: mazrui, first_name: "Mazrui", last_name: "Y" });
    expect(message.recipients).toEqual([{ _id: "listener", msg_seen: false }]);
    expect(message.dateCreated).not.toBe(example("sendMessage").dateCreated);

    const typing = await heard(sockets, "typing");
    expectFields(typing, example("typing"), ["user_id", "first_name"]);
    expect(typing).toMatchObject({ ...example("typing"), user_id: mazrui, first_name: "Mazrui" });

    const chosen = { _id: messageId, room_id: roomId, message: "See this message" };
    await acknowledged(ofMazrui, "sendMessage", chosen);
    await expectNext(ofListener, "message", chosen);
    // It says nothing of who saw it, so anybody may send it as it stands.
    const seen = await heard([ofListener, ofMazrui], "messageSeen");
    expectFields(seen, example("messageSeen"), ["user_id", "seq"]);
    expect(seen).toMatchObject({ ...example("messageSeen"), user_id: "listener" });

    const edited = await heard(sockets, "editMessage");
    expectFields(edited, example("editMessage"), ["seq"]);
    expect(edited).toMatchObject(example("editMessage"));

    await acknowledged(ofListener, "pinMessage", { ...example("pinMessage"), pin_message: true });
    await expectNext(ofMazrui, "pin message", { pin_message: true });
    const unpinned = await heard(sockets, "pinMessage");
    expectFields(unpinned, example("pinMessage"), ["user_id", "seq"]);
    expect(unpinned).toMatchObject(example("pinMessage"));

    const deleted = await heard(sockets, "deleteMessage");
    expectFields(deleted, example("deleteMessage"), ["seq"]);
    expect(deleted).toMatchObject(example("deleteMessage"));
  });

  test("[ROOMS-7] sendNewMessage, which holds no message, and then one that does", async () => {
    const shown = example("sendNewMessage");
    const shownMessage = shown.message as Payload;
    const sender = String(shownMessage.sender_id);
    const [recipient = ""] = shown.recipient_id as string[];
    await introduceAs(stack(), sender, { username: "abdul", first_name: "Abdul", last_name: "P" });
    await introduceAs(stack(), recipient, { username: "bharat" });
    const { socket: ofSender } = await enterRooms(stack(), sender);
    const { socket: ofRecipient } = await enterRooms(stack(), recipient, { node: 1 });
    const { answer, events } = await ask(ofSender, "sendNewMessage", shown);
    expect(events).toEqual([]);
    expect(answer).toMatchObject({ event: "ack", data: { room_id: expect.any(String) } });

    const { room_id } = answer.data;
    const spoken = { ...shown, message: { ...shownMessage, _id: "a-message-of-its-own", message: "Now with words" } };
    await acknowledged(ofSender, "sendNewMessage", spoken);
    const frame = await ofRecipient.receive();
    expect(frame).toMatchObject({ event: recipient, data: { room_id, message: "Now with words", sender_id: sender } });
    const additions = ["room_id", "seq", "client_id", "isStoryReply", "reply_message", "dateCreated"];
    expectFields(frame.data, shownMessage, additions);
    expect(frame.data).toMatchObject({ _id: "a-message-of-its-own", message_type: shownMessage.message_type });
    expectFields(
      frame.data,
      example("sendMessage"),
      [...MESSAGE_ADDITIONS, "client_id"].filter((a) => a !== "room_id"),
    );
  });

  test("[ROOMS-8] createGroup, whose id is also the id of a user", async () => {
    const shown = example("createGroup");
    const [member = ""] = shown.recipients as string[];
    expect(member).toBe(shown._id);
    await introduceAs(stack(), mazrui, { username: "mazrui", first_name: "Mazrui", last_name: "Y" });
    await introduceAs(stack(), member, { username: "a-member" });
    const ofMember = await openRooms(stack(), member, { node: 1 });
    const ofCreator = await openRooms(stack(), mazrui);
    ofCreator.send({ event: "createGroup", data: shown });
    const frame = await ofMember.receive();
    expect(frame.event).toBe(`group_${member}`);
    expectFields(frame.data, shown, ["last_message", "unread_count", "seq"]);
    const { _id, room_name, type, creator_id, image_url } = shown;
    expect(frame.data).toMatchObject({ _id, room_name, type, creator_id, image_url, last_message: null, seq: 0 });
    expect(frame.data.recipients).toEqual([{ _id: mazrui, first_name: "Mazrui", last_name: "Y", image_url: null }]);
    expect(await ofCreator.receive()).toMatchObject({ event: `group_${mazrui}`, data: { _id, room_name } });
  });
});
