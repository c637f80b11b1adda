import { expect, test } from "vitest";
import { describeOnBoth, type Stack } from "../support/stack.ts";
import { enterPair, enterRoom, makeGroup, openRoom, people, say } from "./sockets.ts";

async function conversationId(stack: Stack, username: string): Promise<string> {
  const { body } = await stack.request(username, "GET", "/api/conversations");
  expect(body.results).toHaveLength(1);
  return body.results[0].id;
}

describeOnBoth("the names of a room", { nodes: 2 }, (stack) => {
  test("[ROOM-1] [ROOM-10] a username: the direct conversation, made on first use, under each one's name for it", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const ofAlice = await enterRoom(stack(), alice, bob);
    await say(ofAlice, "hello");
    const ofBob = await openRoom(stack(), bob, alice, { node: 1, since: 0 });
    expect(await ofBob.receive()).toEqual({ type: "online_user_list", users: [alice] });
    expect(await ofBob.receive()).toMatchObject({ type: "chat_message", message: "hello", seq: 1, room: alice });
    expect(await ofAlice.receive()).toEqual({ type: "user_join", user: bob });
    expect(await say(ofAlice, "again")).toMatchObject({ room: bob });
  });

  test("[ROOM-2] one's own username: the conversation with oneself", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const note = await enterRoom(stack(), alice, alice);
    const direct = await enterRoom(stack(), alice, bob);
    expect(await say(note, "a note")).toMatchObject({ seq: 1, room: alice });
    expect(await say(direct, "to bob")).toMatchObject({ seq: 1, room: bob });
    await note.receiveNothing();
  });

  test("[ROOM-3] [ROOM-10] the id of a direct conversation, and of a group, for its members", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    await say(ofAlice, "hello");
    await ofBob.receive();
    const id = await conversationId(stack(), bob);
    const byId = await openRoom(stack(), bob, id);
    expect(await byId.receive()).toEqual({ type: "online_user_list", users: [alice, bob] });
    await say(ofAlice, "both names");
    expect(await ofBob.receive()).toMatchObject({ message: "both names", room: alice });
    expect(await byId.receive()).toMatchObject({ message: "both names", room: id });

    const group = await makeGroup(stack(), alice, bob);
    const inGroup = await enterRoom(stack(), bob, group, { node: 1 });
    expect(await say(inGroup, "hello group")).toMatchObject({ seq: 1, room: group });
  });

  test("[ROOM-4] what is not there and what is not one's own end alike: 4404, and no frame before it", async () => {
    const [alice, bob, eve] = people("alice", "bob", "eve");
    const group = await makeGroup(stack(), alice, bob);
    const direct = await enterRoom(stack(), alice, bob);
    await say(direct, "private");
    const { body } = await stack().request(alice, "GET", "/api/conversations");
    const ids: string[] = body.results.map((conversation: { id: string }) => conversation.id);
    expect(ids).toHaveLength(2);
    expect(ids).toContain(group);

    const ends: unknown[] = [];
    for (const room of ["nobody-of-this-name", crypto.randomUUID(), ...ids]) {
      const socket = await openRoom(stack(), eve, room);
      await expect(socket.receive()).rejects.toThrow("closed with 4404 before a frame came");
      ends.push(await socket.closed);
    }
    expect(ends).toEqual(Array(4).fill({ code: 4404, reason: "no such room" }));
  });

  test("[ROOM-5] a pair that races from two nodes meets in one conversation", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const sockets = await Promise.all([
      openRoom(stack(), alice, bob, { node: 0 }),
      openRoom(stack(), bob, alice, { node: 1 }),
      openRoom(stack(), alice, bob, { node: 1 }),
      openRoom(stack(), bob, alice, { node: 0 }),
    ]);
    // Its first frame says that a socket hears everything from here on.
    for (const socket of sockets) expect((await socket.receive()).type).toBe("online_user_list");
    for (const [index, socket] of sockets.entries()) socket.send({ type: "chat_message", message: `${index}` });
    const heard = await Promise.all(
      sockets.map(async (socket) => {
        const messages = [];
        while (messages.length < 4) messages.push(await socket.receiveType("chat_message"));
        return messages.map(({ id, seq }) => ({ id, seq }));
      }),
    );
    expect(heard[0]?.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    for (const each of heard) expect(each).toEqual(heard[0]);
    await conversationId(stack(), alice);
  });

  test("[ROOM-6] [AUTH-6] a chosen id keeps nobody from their name: the person goes first, and after ~ the id", async () => {
    const [alice, bob, team] = people("alice", "bob", "team");
    await stack().introduce(alice, bob);
    const make = (id?: string) =>
      stack().request(alice, "POST", "/api/conversations", { type: "group", name: "group", members: [bob], id });
    // Somebody's name is nobody's id.
    expect((await make(bob)).body.id).not.toBe(bob);
    expect(await make(team)).toMatchObject({ status: 201, body: { id: team } });
    expect((await make(team)).body.error).toMatchObject({ code: "conflict" });
    const made = await make();
    expect(made.body.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);

    const before = await enterRoom(stack(), alice, team);
    const inGroup = await enterRoom(stack(), bob, `~${team}`, { node: 1 });
    await before.receiveType("user_join");
    // The person comes, and has the name.
    const ofTeam = await stack().connect(team, `/ws/${alice}/`);
    await ofTeam.receiveType("user_join");
    const toTeam = await openRoom(stack(), alice, team, { node: 1 });
    await toTeam.receiveType("user_join");
    await say(toTeam, "for the person");
    expect(await ofTeam.receiveType("chat_message")).toMatchObject({ message: "for the person", room: alice });
    // What was opened stays what it was.
    await say(before, "for the group");
    expect(await inGroup.receiveType("chat_message")).toMatchObject({ message: "for the group", room: `~${team}` });
    inGroup.send({ type: "chat_message", message: "not here", room: team });
    expect(await inGroup.receiveType("error")).toMatchObject({ code: "invalid_frame" });
    inGroup.send({ type: "chat_message", message: "here", room: `~${team}` });
    expect(await before.receiveType("chat_message")).toMatchObject({ message: "here" });
    expect((await openRoom(stack(), team, `~${team}`)).closed).resolves.toMatchObject({ code: 4404 });

    const read = (room: string) => stack().request(alice, "GET", `/api/rooms/${room}/messages?limit=1`);
    expect((await read(team)).body.messages).toMatchObject([{ content: "for the person" }]);
    const page = (await read(`~${team}`)).body;
    expect(page.messages).toMatchObject([{ content: "here" }]);
    expect(page.next).toMatch(`/api/rooms/~${team}/messages?`);
    const badge = await stack().connect(bob, `/ws/notifications/~${team}/`);
    expect(await badge.receive()).toEqual({ type: "single_conversation_unread_count", unread_count: 1 });
  });

  test("[ROOM-7] without the slash at the end", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    for (const path of [`/ws/${bob}`, "/ws/notifications", `/ws/notifications/${bob}`]) {
      const [without, withSlash] = [
        await stack().connect(alice, path),
        await stack().connect(alice, `${path}/`, { node: 1 }),
      ];
      expect((await without.receive()).type).toBe((await withSlash.receive()).type);
    }
  });

  test("[ROOM-8] who is removed or leaves hears nothing more: 4403 on every node, 4404 from then on", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const group = await makeGroup(stack(), alice, bob, carol);
    const ofAlice = await enterRoom(stack(), alice, group);
    const ofBob = [await enterRoom(stack(), bob, group), await openRoom(stack(), bob, group, { node: 1 })];
    const ofCarol = await openRoom(stack(), carol, group, { node: 1 });
    await stack().request(alice, "DELETE", `/api/conversations/${group}/members/${bob}`, undefined, { node: 1 });
    const elsewhere = await openRoom(stack(), alice, group, { node: 1 });
    await elsewhere.receiveType("online_user_list");
    await say(elsewhere, "without bob");
    for (const socket of ofBob) {
      expect(await socket.closed).toEqual({ code: 4403, reason: "no longer a member" });
      await expect(socket.receiveType("chat_message")).rejects.toThrow("closed with 4403 before a frame came");
    }
    expect(await (await openRoom(stack(), bob, group)).closed).toMatchObject({ code: 4404 });

    expect(await ofCarol.receiveType("chat_message")).toMatchObject({ message: "without bob" });
    await stack().request(carol, "DELETE", `/api/conversations/${group}/members/${carol}`);
    expect((await ofCarol.closed).code).toBe(4403);
    expect(await ofAlice.receiveType("chat_message")).toMatchObject({ message: "without bob" });
  });

  test("[ROOM-9] what is said over HTTP is heard in the room, and what is said in the room is read over HTTP", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const { status, body } = await stack().request(alice, "POST", `/api/rooms/${bob}/messages`, { message: "by post" });
    expect(status).toBe(201);
    for (const socket of [ofAlice, ofBob]) {
      expect(await socket.receive()).toMatchObject({ type: "chat_message", id: body.id, seq: 1, message: "by post" });
    }
    const said = await say(ofBob, "by socket");
    const history = await stack().request(alice, "GET", `/api/rooms/${bob}/messages`);
    expect(history.body.messages.map(({ id }: { id: string }) => id)).toEqual([said.id, body.id]);
  });
});
