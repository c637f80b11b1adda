/** Who is renamed while connected is renamed everywhere at once: on every node, in what they say and in who is here. */
import { expect, test } from "vitest";
import { Communicator } from "../support/communicator.ts";
import { describeOnBoth, type Stack, tokenFor } from "../support/stack.ts";
import { makeGroup, openRoom, people } from "./sockets.ts";

const opened: Communicator[] = [];

async function openAs(stack: Stack, id: string, username: string, path: string, node = 0): Promise<Communicator> {
  const socket = await Communicator.connect(`${stack.nodes[node]?.sockets}${path}`, await tokenFor(id, { username }));
  opened.push(socket);
  return socket;
}

async function rename(stack: Stack, id: string, claims: Record<string, string>, node = 0): Promise<void> {
  const headers = { authorization: `Bearer ${await tokenFor(id, claims)}` };
  expect((await fetch(`${stack.nodes[node]?.http}/api/me`, { headers })).status).toBe(200);
}

async function until(socket: Communicator, type: string, field: string, value: unknown) {
  for (;;) {
    const frame = await socket.receiveType(type);
    if (frame[field] === value) return frame;
  }
}

/** One leaves and the other joins. A list that is read again meanwhile tells of both in the other order. */
async function untilRenamed(socket: Communicator, before: string, now: string) {
  const awaited = new Set([`user_leave ${before}`, `user_join ${now}`]);
  while (awaited.size > 0) {
    const { type, user } = await socket.receive();
    awaited.delete(`${type} ${user}`);
  }
}

describeOnBoth("somebody who is renamed", { nodes: 2 }, (stack) => {
  test("[ROOM-11] leaves rooms by the old name and joins them by the new one, and says everything by that", async () => {
    const [ann, anna, bob] = people("ann", "anna", "bob");
    const group = await makeGroup(stack(), bob, ann);
    const ofBob = await openRoom(stack(), bob, group, { node: 1 });
    const ofAnn = await openAs(stack(), ann, ann, `/ws/${group}/`);
    await until(ofBob, "user_join", "user", ann);
    await rename(stack(), ann, { username: anna }, 1);
    for (const socket of [ofBob, ofAnn]) await untilRenamed(socket, ann, anna);
    ofAnn.send({ type: "typing", is_typing: true });
    expect(await ofBob.receiveType("user_typing")).toMatchObject({ user: anna });
    ofAnn.send({ type: "chat_message", message: "hello" });
    expect(await ofBob.receiveType("chat_message")).toMatchObject({ from_user: { username: anna } });
    const { body } = await stack().request(bob, "GET", `/api/rooms/${group}/messages`);
    expect(JSON.stringify(body.messages)).toContain(anna);
    const later = await openRoom(stack(), bob, group);
    expect(await later.receive()).toEqual({ type: "online_user_list", users: [anna, bob].sort() });
    await Promise.all(opened.splice(0).map((socket) => socket.close()));
    await until(ofBob, "user_leave", "user", anna);
  });

  test("[ROOM-11] [PRESENCE-2] another user who takes the old name is somebody else", async () => {
    const [ann, anna, bob, third] = people("ann", "anna", "bob", "third");
    const group = await makeGroup(stack(), bob, ann, third);
    const ofBob = await openRoom(stack(), bob, group);
    const ofAnn = await openAs(stack(), ann, ann, `/ws/${group}/`, 1);
    await until(ofBob, "user_join", "user", ann);
    await rename(stack(), ann, { username: anna });
    await until(ofBob, "user_join", "user", anna);
    const ofThird = await openAs(stack(), third, third, `/ws/${group}/`);
    await until(ofBob, "user_join", "user", third);
    await ofAnn.close();
    await until(ofBob, "user_leave", "user", anna);
    await ofThird.close();
    await until(ofBob, "user_leave", "user", third);
    const later = await openRoom(stack(), bob, group, { node: 1 });
    expect(await later.receive()).toEqual({ type: "online_user_list", users: [bob] });
    opened.length = 0;
  });

  test("[ROOM-10] [ROOM-11] a room keeps the name that each socket opened it by", async () => {
    const [ann, anna, bob] = people("ann", "anna", "bob");
    await stack().introduce(ann, bob);
    const ofBob = await openRoom(stack(), bob, ann);
    // It is open: the name was looked up before it is another's to take.
    await ofBob.receiveType("user_join");
    await rename(stack(), ann, { username: anna }, 1);
    ofBob.send({ type: "chat_message", message: "hello" });
    expect(await ofBob.receiveType("chat_message")).toMatchObject({ room: ann });
  });

  test("[ROOM-11] on /chat and /rooms too: name and picture", async () => {
    const [ann, anna, bob] = people("ann", "anna", "bob");
    const group = await makeGroup(stack(), bob, ann);
    const ofBob = await openAs(stack(), bob, bob, "/rooms", 1);
    const ofAnn = await openAs(stack(), ann, ann, "/chat");
    ofAnn.send({ event: "chat:message", data: {} });
    await rename(stack(), ann, { username: anna, first_name: "Anna", avatar: "https://a.example/new.png" }, 1);
    const onRoom = await openRoom(stack(), bob, group, { node: 1 });
    await onRoom.receiveType("online_user_list");
    const speaks = await openAs(stack(), ann, anna, `/ws/${group}/`);
    speaks.send({ type: "chat_message", message: "hello" });
    expect(await onRoom.receiveType("chat_message")).toMatchObject({ from_user: { username: anna } });
    await ofBob.close();
    await Promise.all(opened.splice(0).map((socket) => socket.close()));
  });
});
