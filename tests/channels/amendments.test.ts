import { expect, test } from "vitest";
import type { Communicator } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import { enterPair, enterRoom, makeGroup, openRoom, people, receiveSame, say } from "./sockets.ts";

interface ClientFrame {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The next thing that comes is the frame's refusal. */
async function expectRefused(socket: Communicator, frame: ClientFrame, code: string): Promise<void> {
  socket.send(frame);
  expect(await socket.receive()).toMatchObject({ type: "error", code, event: frame.type });
}

describeOnBoth("changing what was said", { nodes: 2 }, (stack) => {
  test("[FRAME-7] [FRAME-8] [FRAME-9] an edit, a pin, its end and a deletion reach all alike", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const { id } = await say(ofAlice, "hello");
    await ofBob.receive();
    ofAlice.send({ type: "edit_message", id, message: "hi" });
    expect(await receiveSame(ofAlice, ofBob)).toEqual({
      type: "message_edited",
      id,
      seq: 2,
      message: "hi",
      date_edited: expect.any(String),
      from_user: { username: alice },
    });
    ofBob.send({ type: "pin_message", id, pinned: true });
    const pin = { type: "message_pinned", id, seq: 3, pinned: true, pinned_by: bob };
    expect(await receiveSame(ofAlice, ofBob)).toEqual(pin);
    ofAlice.send({ type: "pin_message", id, pinned: false });
    expect(await receiveSame(ofAlice, ofBob)).toEqual({ ...pin, seq: 4, pinned: false, pinned_by: alice });
    ofAlice.send({ type: "delete_message", id });
    const deletion = { type: "message_deleted", id, seq: 5, deleted_by: alice };
    expect(await receiveSame(ofAlice, ofBob)).toEqual(deletion);
  });

  test("[SEQ-3] what changes nothing takes no number and is told to nobody", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const { id } = await say(ofAlice, "hello");
    const { id: deleted } = await say(ofAlice, "gone");
    ofAlice.send({ type: "delete_message", id: deleted });
    ofAlice.send({ type: "pin_message", id, pinned: true });
    await Promise.all([ofAlice.receiveMany(2), ofBob.receiveMany(4)]);
    ofAlice.send({ type: "edit_message", id, message: "hello" });
    ofAlice.send({ type: "pin_message", id, pinned: true });
    ofAlice.send({ type: "delete_message", id: deleted });
    ofAlice.send({ type: "pin_message", id: deleted, pinned: false });
    const next = await say(ofAlice, "next");
    expect(next).toMatchObject({ seq: 5 });
    expect(await ofBob.receive()).toMatchObject({ type: "chat_message", seq: 5 });
  });

  test("[EDIT-1] only the sender edits, and not what was deleted", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const group = await makeGroup(stack(), alice, bob, carol);
    const ofAlice = await enterRoom(stack(), alice, group);
    const ofBob = await enterRoom(stack(), bob, group, { node: 1 });
    await ofAlice.receiveType("user_join");
    const { id } = await say(ofBob, "bob's");
    expect(await ofAlice.receive()).toMatchObject({ type: "chat_message" });
    await expectRefused(ofAlice, { type: "edit_message", id, message: "the creator's" }, "forbidden");
    ofBob.send({ type: "delete_message", id });
    await receiveSame(ofAlice, ofBob);
    await expectRefused(ofBob, { type: "edit_message", id, message: "again" }, "forbidden");
    await say(ofBob, "next");
    expect(await ofAlice.receive()).toMatchObject({ seq: 3, message: "next" });
  });

  test("[EDIT-2] an edit leaves something", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    const { id } = await say(ofAlice, "only text");
    await expectRefused(ofAlice, { type: "edit_message", id, message: "" }, "invalid_frame");
    const photo = await say(ofAlice, "a photo", { multimedia_url: "photo.jpg" });
    ofAlice.send({ type: "edit_message", id: photo.id, message: "" });
    expect(await ofAlice.receive()).toMatchObject({ type: "message_edited", id: photo.id, message: "", seq: 3 });
  });

  test("[DELETE-1] the sender deletes, and a group's creator; nobody else", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const group = await makeGroup(stack(), alice, bob, carol);
    const ofAlice = await enterRoom(stack(), alice, group);
    const ofBob = await enterRoom(stack(), bob, group, { node: 1 });
    const ofCarol = await enterRoom(stack(), carol, group);
    await ofAlice.receiveMany(2);
    await ofBob.receive();
    const { id } = await say(ofBob, "bob's");
    await receiveSame(ofAlice, ofCarol);
    await expectRefused(ofCarol, { type: "delete_message", id }, "forbidden");
    ofAlice.send({ type: "delete_message", id });
    expect(await receiveSame(ofAlice, ofBob, ofCarol)).toMatchObject({ seq: 2, deleted_by: alice });

    const [ofBobAlone, ofAliceAlone] = await enterPair(stack(), bob, alice);
    const direct = await say(ofBobAlone, "between the two");
    await ofAliceAlone.receive();
    await expectRefused(ofAliceAlone, { type: "delete_message", id: direct.id }, "forbidden");
  });

  test("[DELETE-2] deleting unpins, and what is deleted cannot be pinned", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    const { id } = await say(ofAlice, "hello");
    ofAlice.send({ type: "pin_message", id, pinned: true });
    ofAlice.send({ type: "delete_message", id });
    await ofAlice.receiveMany(2);
    const { body } = await stack().request(bob, "GET", `/api/rooms/${alice}/messages?pinned=true`);
    expect(body.messages).toEqual([]);
    await expectRefused(ofAlice, { type: "pin_message", id, pinned: true }, "forbidden");
  });

  test("[PIN-1] any member pins and unpins", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const group = await makeGroup(stack(), alice, bob, carol);
    const ofBob = await enterRoom(stack(), bob, group);
    const ofCarol = await enterRoom(stack(), carol, group, { node: 1 });
    await ofBob.receive();
    const { id } = await say(ofBob, "bob's");
    await ofCarol.receive();
    ofCarol.send({ type: "pin_message", id, pinned: true });
    expect(await receiveSame(ofBob, ofCarol)).toMatchObject({ pinned: true, pinned_by: carol });
    ofBob.send({ type: "pin_message", id, pinned: false });
    expect(await receiveSame(ofBob, ofCarol)).toMatchObject({ pinned: false, pinned_by: bob });
  });

  test("[SIGHT-1] a message of another room is refused as one that is not there", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    await stack().introduce(carol);
    const foreign = await say(await enterRoom(stack(), carol, bob), "not alice's to see");
    const own = await say(await enterRoom(stack(), alice, carol), "hers, in another room");
    for (const frame of [
      { type: "edit_message", message: "changed" },
      { type: "delete_message" },
      { type: "pin_message", pinned: true },
      { type: "read_messages" },
    ]) {
      const refusals = [];
      for (const id of [foreign.id, own.id, crypto.randomUUID()]) {
        ofAlice.send({ ...frame, id });
        refusals.push(await ofAlice.receive());
      }
      expect(refusals[0]).toMatchObject({ type: "error", code: "forbidden", event: frame.type });
      expect(refusals).toEqual(Array(3).fill(refusals[0]));
    }
  });

  test("[ROOM-9] seen by sockets that came later and by those on the other node", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const { id } = await say(ofBob, "hello");
    const late = await openRoom(stack(), alice, bob, { node: 1 });
    await late.receiveType("online_user_list");
    await ofAlice.receive();
    ofBob.send({ type: "edit_message", id, message: "hi" });
    await receiveSame(ofAlice, ofBob, late);
  });
});
