/** A room that grows over, or falls under, the size of a large one while sockets are in it: presence stays exact. */
import { expect, test } from "vitest";
import { describeOnBoth, type Stack } from "../support/stack.ts";
import { makeGroup, openRoom, people } from "./sockets.ts";

const LARGE = 3;

async function shrink(stack: Stack, group: string, creator: string, member: string): Promise<void> {
  const { status } = await stack.request(creator, "DELETE", `/api/conversations/${group}/members/${member}`);
  expect(status).toBeLessThan(300);
}

async function grow(stack: Stack, group: string, creator: string, member: string): Promise<void> {
  await stack.introduce(member);
  const body = { members: [member] };
  const { status } = await stack.request(creator, "POST", `/api/conversations/${group}/members`, body);
  expect(status).toBeLessThan(300);
}

describeOnBoth("a room that crosses the size", { nodes: 2, settings: { LARGE_ROOM_MEMBERS: `${LARGE}` } }, (stack) => {
  test("[LARGE-4] [PRESENCE-2] falling under it: its sockets are told who is here, and then who comes and goes", async () => {
    const [alice, bob, carol, dave] = people("alice", "bob", "carol", "dave");
    const group = await makeGroup(stack(), alice, bob, carol, dave);
    const ofAlice = await openRoom(stack(), alice, group);
    const ofBob = await openRoom(stack(), bob, group, { node: 1 });
    expect(await ofAlice.receive()).toEqual({ type: "online_user_list", users: [], total: 0 });
    expect(await ofBob.receive()).toEqual({ type: "online_user_list", users: [alice], total: 1 });
    await shrink(stack(), group, alice, dave);
    expect(await ofAlice.receive()).toEqual({ type: "online_user_list", users: [alice, bob] });
    expect(await ofBob.receive()).toEqual({ type: "online_user_list", users: [alice, bob] });
    const ofCarol = await openRoom(stack(), carol, group, { node: 1 });
    expect(await ofCarol.receive()).toEqual({ type: "online_user_list", users: [alice, bob] });
    expect(await ofAlice.receive()).toEqual({ type: "user_join", user: carol });
    await ofBob.close();
    expect(await ofAlice.receive()).toEqual({ type: "user_leave", user: bob });
  });

  test("[LARGE-1] [LARGE-4] growing over it: nobody is told who leaves, whenever they came; and back again", async () => {
    const [alice, bob, carol, dave] = people("alice", "bob", "carol", "dave");
    const group = await makeGroup(stack(), alice, bob, carol);
    const ofAlice = await openRoom(stack(), alice, group);
    expect(await ofAlice.receiveType("user_join")).toEqual({ type: "user_join", user: alice });
    const ofBob = await openRoom(stack(), bob, group, { node: 1 });
    expect(await ofAlice.receive()).toEqual({ type: "user_join", user: bob });
    await grow(stack(), group, alice, dave);
    const ofCarol = await openRoom(stack(), carol, group, { node: 1 });
    expect(await ofCarol.receive()).toMatchObject({ type: "online_user_list", total: 2 });
    await ofBob.close();
    ofCarol.send({ type: "chat_message", message: "hello" });
    expect(await ofAlice.receive()).toMatchObject({ type: "chat_message" });
    await shrink(stack(), group, alice, dave);
    expect(await ofAlice.receive()).toEqual({ type: "online_user_list", users: [alice, carol] });
    await ofCarol.close();
    expect(await ofAlice.receive()).toEqual({ type: "user_leave", user: carol });
  });
});
