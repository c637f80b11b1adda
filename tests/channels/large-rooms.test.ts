import { expect, test } from "vitest";
import { describeOnBoth } from "../support/stack.ts";
import { makeGroup, openBadge, openRoom, people, receiveSame, say } from "./sockets.ts";

const LARGE = 3;

describeOnBoth("a large room", { nodes: 2, settings: { LARGE_ROOM_MEMBERS: `${LARGE}` } }, (stack) => {
  test("[LARGE-1] [LARGE-3] nobody is told of joins, leaves, typing and reading, everybody of messages", async () => {
    const names = people("alice", "bob", "carol", "dave");
    const [alice, bob] = names;
    const group = await makeGroup(stack(), ...names);
    const ofAlice = await openRoom(stack(), alice, group);
    const ofBob = await openRoom(stack(), bob, group, { node: 1 });
    for (const socket of [ofAlice, ofBob]) await socket.receiveType("online_user_list");
    const { badge, total } = await openBadge(stack(), bob);
    expect(total).toBe(0);
    const { id } = await say(ofAlice, "hello");
    // The very next frame of each: neither was told that the other, or they themselves, joined.
    expect(await ofBob.receive()).toMatchObject({ type: "chat_message", message: "hello", seq: 1 });
    expect(await badge.receive()).toEqual({ type: "new_message_notification", unread_count: 1 });
    ofBob.send({ type: "typing", is_typing: true });
    ofBob.send({ type: "read_messages" });
    expect(await badge.receive()).toEqual({ type: "unread_count", unread_count: 0 });
    ofBob.send({ type: "pin_message", id, pinned: true });
    expect(await receiveSame(ofAlice, ofBob)).toMatchObject({ type: "message_pinned", seq: 2 });
    await ofBob.close();
    const back = await openRoom(stack(), bob, group, { node: 1 });
    expect(await back.receive()).toEqual({ type: "online_user_list", users: [alice], total: 1 });
    await say(back, "back");
    expect(await ofAlice.receive()).toMatchObject({ type: "chat_message", message: "back", seq: 3 });
    await ofAlice.receiveNothing();
  });

  test("[LARGE-2] the list is cut, and says how many are here", async () => {
    const names = people("alice", "bob", "carol", "dave", "erin");
    const [alice, bob] = names;
    const group = await makeGroup(stack(), ...names);
    const lists = [];
    for (const [index, name] of names.entries()) {
      const socket = await openRoom(stack(), name, group, { node: index % 2 });
      lists.push(await socket.receive());
    }
    expect(lists[0]).toEqual({ type: "online_user_list", users: [], total: 0 });
    expect(lists[1]).toEqual({ type: "online_user_list", users: [alice], total: 1 });
    expect(lists[2]).toEqual({ type: "online_user_list", users: [alice, bob], total: 2 });
    expect(lists[4].total).toBe(4);
    expect(lists[4].users).toHaveLength(LARGE);
  });

  test("[LARGE-1] [LARGE-2] as many members as the setting says are a small room still", async () => {
    const names = people("alice", "bob", "carol");
    const [alice, bob] = names;
    const group = await makeGroup(stack(), ...names);
    const ofAlice = await openRoom(stack(), alice, group);
    expect(await ofAlice.receive()).toEqual({ type: "online_user_list", users: [] });
    expect(await ofAlice.receive()).toEqual({ type: "user_join", user: alice });
    const ofBob = await openRoom(stack(), bob, group, { node: 1 });
    expect(await ofAlice.receive()).toEqual({ type: "user_join", user: bob });
    ofBob.send({ type: "typing", is_typing: true });
    expect(await ofAlice.receive()).toEqual({ type: "user_typing", user: bob, is_typing: true });
  });
});
