import { expect, test, vi } from "vitest";
import type { Frame } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import { enterPair, enterRoom, openRoom, people, receiveSame, say } from "./sockets.ts";

describeOnBoth("a message sent twice", { nodes: 2 }, (stack) => {
  test("[RETRY-1] [RETRY-2] [RETRY-4] is stored once; the caller alone hears of it again", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const first = await say(ofAlice, "hello", { client_id: "c1" });
    expect(first).toMatchObject({ client_id: "c1" });
    expect(first).not.toHaveProperty("repeated");
    expect(await ofBob.receive()).toEqual({ ...first, room: alice });
    ofAlice.send({ type: "chat_message", message: "another text", client_id: "c1" });
    expect(await ofAlice.receive()).toEqual({ ...first, repeated: true });
    const next = await say(ofAlice, "next");
    expect(next).toMatchObject({ seq: 2 });
    expect(await ofBob.receive()).toEqual({ ...next, room: alice });
  });

  test("[RETRY-1] [RETRY-2] on another node, over HTTP, and from there back", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const first = await say(ofAlice, "hello", { client_id: "c1" });
    await ofBob.receive();
    const elsewhere = await openRoom(stack(), alice, bob, { node: 1 });
    await elsewhere.receiveType("online_user_list");
    elsewhere.send({ type: "chat_message", message: "hello", client_id: "c1" });
    expect(await elsewhere.receive()).toEqual({ ...first, repeated: true });
    const post = (clientId: string) =>
      stack().request(alice, "POST", `/api/rooms/${bob}/messages`, { message: "hello", client_id: clientId });
    expect(await post("c1")).toMatchObject({ status: 200, body: { id: first.id, repeated: true } });

    const posted = await post("c2");
    expect(posted).toMatchObject({ status: 201, body: { seq: 2 } });
    expect(await receiveSame(ofAlice, elsewhere)).toMatchObject({ id: posted.body.id, client_id: "c2" });
    ofAlice.send({ type: "chat_message", message: "hello", client_id: "c2" });
    expect(await ofAlice.receive()).toMatchObject({ id: posted.body.id, seq: 2, repeated: true });
    expect(await ofBob.receive()).toMatchObject({ seq: 2 });
    await ofBob.receiveNothing();
  });

  test("[RETRY-2] comes back as it now is: edited, then deleted", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    const first = await say(ofAlice, "hello", { client_id: "c1", multimedia_url: "photo.jpg" });
    const again = async () => {
      ofAlice.send({ type: "chat_message", message: "hello", client_id: "c1" });
      return ofAlice.receive();
    };
    ofAlice.send({ type: "edit_message", id: first.id, message: "hi" });
    expect(await ofAlice.receive()).toMatchObject({ type: "message_edited", seq: 2 });
    expect(await again()).toEqual({ ...first, message: "hi", repeated: true });
    ofAlice.send({ type: "delete_message", id: first.id });
    expect(await ofAlice.receive()).toMatchObject({ type: "message_deleted", seq: 3 });
    expect(await again()).toEqual({ ...first, message: "", multimedia_url: null, repeated: true });
    expect(await say(ofAlice, "next")).toMatchObject({ seq: 4 });
  });

  test("[RETRY-1] another sender's, or another conversation's, client id is another message", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    await stack().introduce(carol);
    await say(ofAlice, "hello", { client_id: "c1" });
    await ofBob.receive();
    expect(await say(ofBob, "hello", { client_id: "c1" })).toMatchObject({ seq: 2, from_user: { username: bob } });
    const withCarol = await enterRoom(stack(), alice, carol);
    const other = await say(withCarol, "hello", { client_id: "c1" });
    expect(other).toMatchObject({ seq: 1 });
    expect(other).not.toHaveProperty("repeated");
  });

  test("[RETRY-3] at the same moment on two nodes, over and over, is stored once", async () => {
    const [alice, bob] = people("alice", "bob");
    const [, ofBob] = await enterPair(stack(), alice, bob);
    const near = await openRoom(stack(), alice, bob);
    const far = await openRoom(stack(), alice, bob, { node: 1 });
    for (const socket of [near, far]) await socket.receiveType("online_user_list");
    const heard: Frame[][] = [near, far].map((socket) => {
      const frames: Frame[] = [];
      socket.socket.on("message", (data) => frames.push(JSON.parse(data.toString())));
      return frames;
    });
    const clientIds = Array.from({ length: 20 }, (_, index) => `c${index}`);
    for (const client_id of clientIds) {
      for (const socket of [near, far]) socket.send({ type: "chat_message", message: client_id, client_id });
    }
    // Each socket hears each message once, and for each message one of the two came second.
    await vi.waitFor(() => expect(heard.flat()).toHaveLength(60), { timeout: 10_000 });
    const repeated = heard.flat().filter((frame) => frame.repeated);
    expect(repeated.map(({ client_id }) => client_id).toSorted()).toEqual(clientIds.toSorted());
    const stored = await ofBob.receiveMany(20);
    expect(stored.map(({ seq }) => seq)).toEqual(clientIds.map((_, index) => index + 1));
    expect(stored.map(({ client_id }) => client_id).toSorted()).toEqual(clientIds.toSorted());
    await ofBob.receiveNothing();
  });

  test("[RETRY-4] a refusal names the client id", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    ofAlice.send({ type: "chat_message", message: "", client_id: "c1" });
    expect(await ofAlice.receive()).toMatchObject({ type: "error", event: "chat_message", client_id: "c1" });
  });
});
