import { expect, test } from "vitest";
import type { Communicator, Frame } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import { enterPair, enterRoom, makeGroup, openRoom, people, say } from "./sockets.ts";

/** The acknowledgement and the frame of the change, which come in no order of their own. */
async function receiveWithAck(socket: Communicator): Promise<{ ack: Frame; change: Frame }> {
  const frames = await socket.receiveMany(2);
  const ack = frames.find(({ type }) => type === "ack");
  const change = frames.find(({ type }) => type !== "ack");
  expect([ack, change]).not.toContain(undefined);
  return { ack, change };
}

/** Each of the frames that may ask for an acknowledgement, about the message of that id. */
function amendmentsOf(id: string) {
  return [
    { type: "read_messages", id, client_id: "r" },
    { type: "edit_message", id, message: "changed", client_id: "e" },
    { type: "pin_message", id, pinned: true, client_id: "p" },
    { type: "delete_message", id, client_id: "d" },
  ];
}

describeOnBoth("an acknowledgement", { nodes: 2 }, (stack) => {
  test("[ACK-1] comes once for what is done, to the socket that asked alone, and the change says no client id", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const again = await openRoom(stack(), alice, bob);
    await again.receiveType("online_user_list");
    const { id } = await say(ofAlice, "hello");
    await Promise.all([again.receive(), ofBob.receive()]);
    const changes = ["message_edited", "message_pinned", "message_deleted"];
    for (const [index, frame] of amendmentsOf(id).slice(1).entries()) {
      ofAlice.send(frame);
      const { ack, change } = await receiveWithAck(ofAlice);
      expect(ack).toEqual({ type: "ack", client_id: frame.client_id });
      expect(change).toMatchObject({ type: changes[index], id, seq: index + 2 });
      expect(change).not.toHaveProperty("client_id");
      expect(await again.receive()).toEqual(change);
      expect(await ofBob.receive()).toEqual(change);
    }
    for (const socket of [ofAlice, again, ofBob]) await socket.receiveNothing();
  });

  test("[ACK-1] of reading, up to a message or all", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const { id } = await say(ofAlice, "one");
    await say(ofAlice, "two");
    await ofBob.receiveMany(2);
    for (const [frame, seq] of [
      [{ type: "read_messages", id, client_id: "up to one" }, 1],
      [{ type: "read_messages", client_id: "all" }, 2],
    ] as const) {
      ofBob.send(frame);
      const { ack, change } = await receiveWithAck(ofBob);
      expect(ack).toEqual({ type: "ack", client_id: frame.client_id });
      expect(change).toMatchObject({ type: "messages_read", user: bob, seq });
      expect(await ofAlice.receive()).toEqual(change);
    }
    await ofAlice.receiveNothing();
  });

  test("[ACK-1] [ACK-4] comes alone where nothing changed, again for the same frame again", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    // A client id of a message's is no obstacle.
    const { id } = await say(ofAlice, "hello", { client_id: "e" });
    const { id: gone } = await say(ofAlice, "gone");
    await ofBob.receiveMany(2);
    ofAlice.send({ type: "delete_message", id: gone });
    ofAlice.send({ type: "pin_message", id, pinned: true });
    ofAlice.send({ type: "read_messages" });
    await Promise.all([ofAlice.receiveMany(3), ofBob.receiveMany(3)]);
    for (const frame of [
      { type: "edit_message", id, message: "hello", client_id: "e" },
      { type: "pin_message", id, pinned: true, client_id: "p" },
      { type: "delete_message", id: gone, client_id: "d" },
      { type: "read_messages", client_id: "r" },
      { type: "read_messages", id, client_id: "u" },
    ]) {
      for (const _time of ["first", "second"]) {
        ofAlice.send(frame);
        expect(await ofAlice.receive()).toEqual({ type: "ack", client_id: frame.client_id });
      }
    }
    await ofAlice.receiveNothing();
    await ofBob.receiveNothing();
  });

  test("[ACK-1] of frames sent in one breath each has its own", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    const { id } = await say(ofAlice, "hello");
    const clientIds = Array.from({ length: 20 }, (_, index) => `p${index}`);
    for (const [index, client_id] of clientIds.entries()) {
      ofAlice.send({ type: "pin_message", id, pinned: index % 2 === 0, client_id });
    }
    const frames = await ofAlice.receiveMany(40);
    const acks = frames.filter(({ type }) => type === "ack").map(({ client_id }) => client_id);
    expect(acks.toSorted()).toEqual(clientIds.toSorted());
    await ofAlice.receiveNothing();
  });

  test("[ACK-3] does not come without a client id, for an empty one, and for no message", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    const { id } = await say(ofAlice, "hello", { client_id: "c1" });
    ofAlice.send({ type: "chat_message", message: "hello", client_id: "c1" });
    expect(await ofAlice.receive()).toMatchObject({ type: "chat_message", id, repeated: true });
    await ofAlice.receiveNothing();
    for (const client_id of [undefined, "", null]) {
      for (const frame of amendmentsOf((await say(ofAlice, "another")).id)) {
        ofAlice.send({ ...frame, client_id });
        expect((await ofAlice.receive()).type).not.toBe("ack");
      }
      await ofAlice.receiveNothing();
    }
  });

  test("[ACK-2] a refusal carries the client id in its place", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const { id } = await say(ofAlice, "hello");
    await ofBob.receive();
    ofAlice.send({ type: "delete_message", id });
    await Promise.all([ofAlice.receive(), ofBob.receive()]);
    const elsewhere = await enterRoom(stack(), alice, alice);
    const { id: foreign } = await say(elsewhere, "a note");
    const refused = async (frame: { type: string; client_id: string }, code: string) => {
      ofBob.send(frame);
      const { type: event, client_id } = frame;
      expect(await ofBob.receive()).toMatchObject({ type: "error", code, event, client_id });
    };
    for (const frame of [...amendmentsOf(foreign), ...amendmentsOf("no-such-message")])
      await refused(frame, "forbidden");
    for (const frame of amendmentsOf(id)) await refused({ ...frame, ...{ colour: "red" } }, "invalid_frame");
    for (const frame of amendmentsOf("no id at all")) await refused(frame, "invalid_frame");
    // Not to be edited or pinned any more, nor by him deleted.
    for (const frame of amendmentsOf(id).slice(1)) await refused(frame, "forbidden");
    await ofBob.receiveNothing();
    const { id: media } = await say(ofAlice, "", { multimedia_url: "photo.jpg" });
    const { id: text } = await say(ofAlice, "text");
    ofAlice.send({ type: "edit_message", id: text, message: "", client_id: "emptied" });
    expect(await ofAlice.receive()).toMatchObject({ code: "invalid_frame", client_id: "emptied" });
    ofAlice.send({ type: "edit_message", id: media, message: "", client_id: "as before" });
    expect(await ofAlice.receive()).toEqual({ type: "ack", client_id: "as before" });
  });

  test("[ACK-2] a client id that is empty, or none at all, is in no refusal", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    for (const client_id of ["", null, 7, "c".repeat(65)]) {
      for (const frame of [...amendmentsOf("no-such-message"), { type: "chat_message", message: 7 }]) {
        ofAlice.send({ ...frame, client_id });
        const refusal = await ofAlice.receive();
        expect(refusal).toMatchObject({ type: "error", event: frame.type });
        expect(refusal).not.toHaveProperty("client_id");
      }
    }
  });
});

describeOnBoth("an acknowledgement under a rate", { settings: { SEND_RATE: "1", SEND_BURST: "1" } }, (stack) => {
  test("[ACK-2] what is too much is refused with its client id", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    const frames = amendmentsOf("no-such-message");
    for (const frame of frames) ofAlice.send(frame);
    const answers = await ofAlice.receiveMany(4);
    // Reading is at nobody's expense, and the edit took what there was.
    expect(Object.fromEntries(answers.map(({ client_id, code }) => [client_id, code]))).toEqual({
      r: "forbidden",
      e: "forbidden",
      p: "rate_limited",
      d: "rate_limited",
    });
  });
});

describeOnBoth("an acknowledgement in a large room", { settings: { LARGE_ROOM_MEMBERS: "2" } }, (stack) => {
  test("[ACK-1] of reading, of which nobody is told", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const group = await makeGroup(stack(), alice, bob, carol);
    const ofAlice = await openRoom(stack(), alice, group);
    await ofAlice.receiveType("online_user_list");
    await stack().request(bob, "POST", `/api/rooms/${group}/messages`, { message: "hello" });
    expect(await ofAlice.receive()).toMatchObject({ type: "chat_message", seq: 1 });
    ofAlice.send({ type: "read_messages", client_id: "r" });
    expect(await ofAlice.receive()).toEqual({ type: "ack", client_id: "r" });
    await ofAlice.receiveNothing();
  });
});
