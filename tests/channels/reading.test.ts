import { expect, test } from "vitest";
import { describeOnBoth } from "../support/stack.ts";
import { enterPair, makeGroup, openBadge, openRoom, people, receiveSame, say } from "./sockets.ts";

describeOnBoth("reading", { nodes: 2 }, (stack) => {
  test("[FRAME-5] [READ-1] all there is, and the room is told up to which message", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    await say(ofAlice, "one");
    const { id } = await say(ofAlice, "two");
    await ofBob.receiveMany(2);
    ofBob.send({ type: "read_messages" });
    const read = { type: "messages_read", user: bob, id, seq: 2, date_read: expect.any(String) };
    expect(await receiveSame(ofAlice, ofBob)).toEqual(read);
  });

  test("[FRAME-5] [READ-1] up to a message, and so all before it", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    await say(ofAlice, "one");
    const { id } = await say(ofAlice, "two");
    await say(ofAlice, "three");
    await ofBob.receiveMany(3);
    const { badge, total } = await openBadge(stack(), bob);
    expect(total).toBe(3);
    ofBob.send({ type: "read_messages", id });
    expect(await receiveSame(ofAlice, ofBob)).toMatchObject({ type: "messages_read", id, seq: 2 });
    expect(await badge.receive()).toEqual({ type: "unread_count", unread_count: 1 });
  });

  test("[FRAME-5] an empty id is none", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    await say(ofAlice, "one");
    await ofBob.receive();
    ofBob.send({ type: "read_messages", id: "" });
    expect(await receiveSame(ofAlice, ofBob)).toMatchObject({ type: "messages_read", seq: 1 });
  });

  test("[READ-2] never goes back, and reading what was read is told to nobody", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    // What one socket asks for is done in its order: the echo says that nothing was read before it.
    ofBob.send({ type: "read_messages" });
    await say(ofBob, "nothing to read yet");
    expect((await ofAlice.receive()).type).toBe("chat_message");
    const { id: first } = await say(ofAlice, "one");
    const { id: second } = await say(ofAlice, "two");
    await ofBob.receiveMany(2);
    ofBob.send({ type: "read_messages", id: second });
    expect(await receiveSame(ofAlice, ofBob)).toMatchObject({ type: "messages_read", seq: 3 });
    ofBob.send({ type: "read_messages", id: first });
    ofBob.send({ type: "read_messages", id: second });
    ofBob.send({ type: "read_messages" });
    const next = await say(ofBob, "next");
    expect(await ofAlice.receive()).toEqual({ ...next, room: bob });
    const { total } = await openBadge(stack(), bob, { node: 1 });
    expect(total).toBe(0);
  });

  test("[READ-3] own messages never count, and sending does not mark as read", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    await say(ofAlice, "one");
    await ofBob.receive();
    await say(ofBob, "an answer");
    await ofAlice.receive();
    await say(ofAlice, "two");
    expect((await openBadge(stack(), bob)).total).toBe(2);
    expect((await openBadge(stack(), alice, { node: 1 })).total).toBe(1);
  });

  test("[READ-3] what was deleted unread stops counting, what was deleted read never counts again", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const { id: read } = await say(ofAlice, "one");
    await ofBob.receive();
    ofBob.send({ type: "read_messages" });
    await receiveSame(ofAlice, ofBob);
    const { id: unread } = await say(ofAlice, "two");
    await say(ofAlice, "three");
    const counts = [(await openBadge(stack(), bob)).total];
    for (const id of [read, unread]) {
      ofAlice.send({ type: "delete_message", id });
      await ofAlice.receive();
      counts.push((await openBadge(stack(), bob, { node: 1 })).total);
    }
    expect(counts).toEqual([2, 2, 1]);
  });

  test("[READ-4] who joins a group sees its history and has nothing unread", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const group = await makeGroup(stack(), alice, bob);
    await stack().introduce(carol);
    const ofAlice = await openRoom(stack(), alice, group);
    await ofAlice.receiveMany(2);
    await say(ofAlice, "before");
    await stack().request(alice, "POST", `/api/conversations/${group}/members`, { members: [carol] });
    await say(ofAlice, "after");
    expect((await openBadge(stack(), carol, { node: 1 })).total).toBe(1);
    const ofCarol = await openRoom(stack(), carol, group, { node: 1, since: 0 });
    await ofCarol.receiveType("online_user_list");
    expect((await ofCarol.receiveMany(2)).map(({ message }) => message)).toEqual(["before", "after"]);
  });
});
