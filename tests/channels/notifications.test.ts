import { expect, test } from "vitest";
import { describeOnBoth } from "../support/stack.ts";
import { enterPair, enterRoom, makeGroup, openBadge, openRoom, people, receiveSame, say } from "./sockets.ts";

const news = (unread_count: number) => ({ type: "new_message_notification", unread_count });
const count = (unread_count: number) => ({ type: "unread_count", unread_count });

describeOnBoth("notifications of all conversations", { nodes: 2 }, (stack) => {
  test("[BADGE-1] [BADGE-2] [BADGE-4] the total, then each message of another's with the new total", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const group = await makeGroup(stack(), carol, bob);
    const [ofAlice] = await enterPair(stack(), alice, bob);
    await say(ofAlice, "before");
    const { badge, total } = await openBadge(stack(), bob);
    expect(total).toBe(1);
    const ofCarol = await enterRoom(stack(), carol, group, { node: 1 });
    await say(ofCarol, "in the group");
    expect(await badge.receive()).toEqual(news(2));
    await say(ofAlice, "between the two");
    expect(await badge.receive()).toEqual(news(3));
    expect((await openBadge(stack(), bob, { node: 1 })).total).toBe(3);
  });

  test("[BADGE-2] conversations that are made after the socket was opened", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    await stack().introduce(alice, carol);
    const { badge } = await openBadge(stack(), bob, { node: 1 });
    const direct = await enterRoom(stack(), alice, bob);
    await say(direct, "the first of a new conversation");
    expect(await badge.receive()).toEqual(news(1));
    const inGroup = await enterRoom(stack(), carol, await makeGroup(stack(), carol, bob));
    await say(inGroup, "the first of a new group");
    expect(await badge.receive()).toEqual(news(2));
  });

  test("[BADGE-3] own messages, edits and pins are no news", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const { badge } = await openBadge(stack(), bob);
    const { id } = await say(ofAlice, "one");
    expect(await badge.receive()).toEqual(news(1));
    await ofBob.receive();
    await say(ofBob, "bob's own");
    expect(await ofAlice.receive()).toMatchObject({ message: "bob's own" });
    ofAlice.send({ type: "edit_message", id, message: "uno" });
    ofAlice.send({ type: "pin_message", id, pinned: true });
    await ofAlice.receiveMany(2);
    await say(ofAlice, "two");
    expect(await badge.receive()).toEqual(news(2));
  });

  test("[BADGE-3] reading on any device: once, and not again when there was nothing left to read", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    await say(ofAlice, "one");
    await say(ofAlice, "two");
    await ofBob.receiveMany(2);
    const near = (await openBadge(stack(), bob)).badge;
    const far = (await openBadge(stack(), bob, { node: 1 })).badge;
    ofBob.send({ type: "read_messages" });
    expect(await receiveSame(near, far)).toEqual(count(0));
    expect(await receiveSame(ofAlice, ofBob)).toMatchObject({ type: "messages_read", user: bob });
    await stack().request(bob, "POST", `/api/rooms/${alice}/read`, {});
    ofBob.send({ type: "read_messages" });
    await say(ofBob, "nothing left to read");
    expect((await ofAlice.receive()).type).toBe("chat_message");
    await say(ofAlice, "three");
    expect(await receiveSame(near, far)).toEqual(news(1));
    await stack().request(bob, "POST", `/api/rooms/${alice}/read`, {}, { node: 1 });
    expect(await receiveSame(near, far)).toEqual(count(0));
  });

  test("[BADGE-3] the deletion of an unread message, not of a read one or of one's own", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const { id: read } = await say(ofAlice, "read");
    await ofBob.receive();
    ofBob.send({ type: "read_messages" });
    await receiveSame(ofAlice, ofBob);
    const { id: own } = await say(ofBob, "bob's own");
    await ofAlice.receive();
    const { badge, total } = await openBadge(stack(), bob, { node: 1 });
    expect(total).toBe(0);
    const { id: unread } = await say(ofAlice, "unread");
    expect(await badge.receive()).toEqual(news(1));
    ofBob.send({ type: "delete_message", id: own });
    ofAlice.send({ type: "delete_message", id: read });
    ofAlice.send({ type: "delete_message", id: unread });
    expect(await badge.receive()).toEqual(count(0));
    await ofAlice.receiveMany(3);
    await say(ofAlice, "next");
    expect(await badge.receive()).toEqual(news(1));
  });

  test("[BADGE-3] leaving a group, and being removed from one, where something was unread", async () => {
    const [alice, bob] = people("alice", "bob");
    const groups = [await makeGroup(stack(), alice, bob), await makeGroup(stack(), alice, bob)];
    const [left = "", removed = ""] = groups;
    const empty = await makeGroup(stack(), alice, bob);
    const rooms = [];
    for (const group of groups) rooms.push(await enterRoom(stack(), alice, group));
    for (const room of rooms) await say(room, "hello");
    const { badge, total } = await openBadge(stack(), bob, { node: 1 });
    expect(total).toBe(2);
    const remove = (actor: string, group: string) =>
      stack().request(actor, "DELETE", `/api/conversations/${group}/members/${bob}`);
    await remove(bob, left);
    expect(await badge.receive()).toEqual(count(1));
    await remove(alice, empty);
    await remove(alice, removed);
    expect(await badge.receive()).toEqual(count(0));
    for (const room of rooms) await say(room, "without bob");
    const direct = await enterRoom(stack(), alice, bob);
    await say(direct, "but here");
    expect(await badge.receive()).toEqual(news(1));
  });

  test("[BADGE-2] [READ-4] who comes back to a group counts from there", async () => {
    const [alice, bob] = people("alice", "bob");
    const group = await makeGroup(stack(), alice, bob);
    const ofAlice = await enterRoom(stack(), alice, group);
    await say(ofAlice, "one");
    const { badge } = await openBadge(stack(), bob, { node: 1 });
    await stack().request(alice, "DELETE", `/api/conversations/${group}/members/${bob}`);
    expect(await badge.receive()).toEqual(count(0));
    await say(ofAlice, "two");
    await stack().request(alice, "POST", `/api/conversations/${group}/members`, { members: [bob] });
    await say(ofAlice, "three");
    expect(await badge.receive()).toEqual(news(1));
    const ofBob = await openRoom(stack(), bob, group, { node: 1, since: 3 });
    await ofBob.receiveMany(2);
  });
});
