import { expect, test } from "vitest";
import type { Communicator } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import { acknowledged, enterRooms, expectNext, makeGroup, openChat, openRooms, people, post } from "./sockets.ts";

const UNLIMITED = { SEND_RATE: "100000", SEND_BURST: "100000" };

describeOnBoth("resuming", { nodes: 2, settings: UNLIMITED }, (stack) => {
  /** Messages 1 to 4, of which 1 is edited (5) and pinned (6), 2 pinned (7), 3 edited (8), 4 deleted (9). */
  async function history(alice: string, bob: string): Promise<readonly [roomId: string, ids: readonly string[]]> {
    const roomId = await makeGroup(stack(), alice, bob);
    const ids: string[] = [];
    for (const text of ["one", "two", "three", "four"]) ids.push((await post(stack(), alice, roomId, text)).id);
    const chat = await openChat(stack(), alice);
    await acknowledged(chat, "chat:message_edit", { messageId: ids[0], content: "ONE" });
    await acknowledged(chat, "chat:message_pin", { messageId: ids[0], pinned: true });
    await acknowledged(chat, "chat:message_pin", { messageId: ids[1], pinned: true });
    await acknowledged(chat, "chat:message_edit", { messageId: ids[2], content: "THREE" });
    await acknowledged(chat, "chat:message_delete", { messageId: ids[3] });
    return [roomId, ids];
  }

  test("[LIVE-9] /chat?since= tells what changed, each message once, by the seq of its last change", async () => {
    const [alice, bob] = people("alice", "bob");
    const [chatId, [one, two, three, four]] = await history(alice, bob);
    const chat = await openChat(stack(), bob, { since: { [chatId]: 2 }, node: 1 });
    await expectNext(chat, "chat:message_edited", {
      messageId: one,
      content: "ONE",
      pinned: true,
      pinnedBy: alice,
      seq: 6,
    });
    await expectNext(chat, "chat:message_pinned", { messageId: two, pinned: true, pinnedBy: alice, seq: 7 });
    await expectNext(chat, "chat:message_receive", { id: three, content: "THREE", seq: 8 });
    await expectNext(chat, "chat:message_deleted", { messageId: four, seq: 9 });
    expect(await chat.receive()).toEqual({ event: "chat:resumed", data: { chatId, seq: 9 } });
    await post(stack(), alice, chatId, "live");
    await expectNext(chat, "chat:message_receive", { content: "live", seq: 10 });
  });

  test("[LIVE-9] beyond the present, not one's own, or no JSON: said, and the socket is live", async () => {
    const [alice, bob, eve] = people("alice", "bob", "eve");
    const [chatId] = await history(alice, bob);
    const beyond = await openChat(stack(), bob, { since: { [chatId]: 10 } });
    expect(await beyond.receive()).toEqual({ event: "chat:resume_failed", data: { chatId, seq: 9 } });
    for (const id of [chatId, "nowhere"]) {
      const strange = await openChat(stack(), eve, { since: { [id]: 0 } });
      expect(await strange.receive()).toMatchObject({ event: "error", data: { code: "forbidden" } });
      await acknowledged(strange, "user:get_status", { userId: eve });
    }
    for (const since of ["7", "{", '{"a":-1}', "[1]"]) {
      const bad = await openChat(stack(), bob, { since });
      expect(await bad.receive()).toMatchObject({ event: "error", data: { code: "invalid_frame" } });
      await post(stack(), alice, chatId, "live");
      await expectNext(bad, "chat:message_receive", { content: "live" });
      await bad.close();
    }
  });

  test("[ROOMS-13] connectRooms with since: the list, then what changed, then resumed, then the acknowledgement", async () => {
    const [alice, bob] = people("alice", "bob");
    const [room_id, [one, two, three, four]] = await history(alice, bob);
    const rooms = await openRooms(stack(), bob, { node: 1 });
    rooms.send({ event: "connectRooms", data: { since: { [room_id]: 2, nowhere: 1 } }, id: 1 });
    expect((await rooms.receive()).data).toMatchObject([{ _id: room_id, seq: 9, unread_count: 3 }]);
    const edited = { message_id: one, message: "ONE", user_id: alice, pin_message: true, pinned_by: alice, seq: 6 };
    await expectNext(rooms, "edited", edited);
    await expectNext(rooms, "pin message", { _id: two, pin_message: true, user_id: alice, seq: 7 });
    await expectNext(rooms, "message", { _id: three, message: "THREE", seq: 8 });
    await expectNext(rooms, "delete", { message_id: four, user_id: alice, seq: 9 });
    expect(await rooms.receive()).toEqual({ event: "resumed", data: { room_id, seq: 9 } });
    await expectNext(rooms, "error", { code: "forbidden" });
    expect(await rooms.receive()).toEqual({ event: "ack", id: 1, data: {} });
    await acknowledged(rooms, "connectRooms", {});
    rooms.send({ event: "connectRooms", data: { since: { [room_id]: 10 } } });
    expect((await rooms.receive()).event).toBe("connectRooms");
    expect(await rooms.receive()).toEqual({ event: "resume_failed", data: { room_id, seq: 9 } });
  });

  test("[LIVE-9] [ROOMS-13] who comes back while others go on sending misses nothing and hears nothing twice", async () => {
    const [alice, bob] = people("alice", "bob");
    const roomId = await makeGroup(stack(), alice, bob);
    const { socket: here } = await enterRooms(stack(), alice);
    const { socket: there } = await enterRooms(stack(), alice, { node: 1 });
    const MESSAGES = 300;
    const comers: Promise<number[]>[] = [];
    for (let sent = 1; sent <= MESSAGES; sent += 1) {
      const sender = sent % 2 === 0 ? here : there;
      sender.send({ event: "sendMessage", data: { room_id: roomId, message: `${sent}` } });
      if (sent % 15 === 0) {
        const node = (sent / 15) % 2;
        const from = Math.max(0, (await heardBy(sender)) - 3);
        comers.push(
          openChat(stack(), bob, { since: { [roomId]: from }, node }).then((chat) => seqsUpTo(chat, MESSAGES, from)),
        );
        comers.push(
          openRooms(stack(), bob, { node }).then((rooms) => {
            rooms.send({ event: "connectRooms", data: { since: { [roomId]: from } } });
            return seqsUpTo(rooms, MESSAGES, from);
          }),
        );
      }
    }
    expect(await Promise.all(comers)).toEqual(comers.map(() => []));
  });
});

/** The seq of the next message; it need not be the one that was sent last. */
async function heardBy(socket: Communicator): Promise<number> {
  return (await socket.receive()).data.seq;
}

/** Where the messages from `from` on do not follow one upon the other: nowhere, one hopes. */
async function seqsUpTo(socket: Communicator, last: number, from: number): Promise<number[]> {
  const wrong: number[] = [];
  let seq = from;
  while (seq < last) {
    const { event, data } = await socket.receive();
    if (event !== "message" && event !== "chat:message_receive") continue;
    if (data.seq !== seq + 1) wrong.push(data.seq);
    seq = data.seq;
  }
  return wrong;
}
