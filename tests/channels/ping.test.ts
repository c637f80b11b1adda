import { expect, test } from "vitest";
import type { Communicator } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import { enterPair, openBadge, openConversationBadge, openRoom, people, say } from "./sockets.ts";

const ping = { type: "ping" };
const pong = { type: "pong" };

describeOnBoth("a ping", { nodes: 2 }, (stack) => {
  /** The three paths, each ready for what comes live; and another's socket in the same room. */
  async function openAll(): Promise<{ asking: readonly Communicator[]; other: Communicator }> {
    const [alice, bob] = people("alice", "bob");
    const [room, other] = await enterPair(stack(), alice, bob);
    const { badge } = await openBadge(stack(), alice);
    const ofOne = await openConversationBadge(stack(), alice, bob);
    await ofOne.receive();
    return { asking: [room, badge, ofOne], other };
  }

  test("[PING-1] is answered on each path, each time, to that socket alone", async () => {
    const { asking, other } = await openAll();
    for (const socket of asking) {
      for (const _time of ["first", "second"]) {
        socket.send(ping);
        expect(await socket.receive()).toEqual(pong);
      }
    }
    for (const socket of [...asking, other]) await socket.receiveNothing();
  });

  test("[PING-1] has no other field", async () => {
    const { asking } = await openAll();
    for (const socket of asking) {
      for (const field of ["id", "client_id", "at"]) {
        socket.send({ ...ping, [field]: "x" });
        expect(await socket.receive()).toMatchObject({
          type: "error",
          code: "invalid_frame",
          message: `${field}: unknown field`,
          event: "ping",
        });
      }
      socket.send(ping);
      expect(await socket.receive()).toEqual(pong);
    }
  });

  test("[PING-2] sent while the socket is being opened, is answered when it is open", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    await say(ofAlice, "missed");
    const room = await openRoom(stack(), alice, bob, { since: 0 });
    room.send(ping);
    const types = (await room.receiveMany(4)).map(({ type }) => type);
    expect(types).toEqual(["online_user_list", "chat_message", "resumed", "pong"]);
    const ofOne = await openConversationBadge(stack(), alice, bob, { node: 1 });
    ofOne.send(ping);
    expect(await ofOne.receive()).toMatchObject({ type: "single_conversation_unread_count" });
    expect(await ofOne.receive()).toEqual(pong);
  });

  test("[PING-3] is no bad frame, and forgives none", async () => {
    const { asking } = await openAll();
    for (const socket of asking) {
      for (let sent = 0; sent < 40; sent += 1) socket.send(ping);
      for (let sent = 0; sent < 19; sent += 1) socket.send("{");
      socket.send(ping);
      const frames = await socket.receiveMany(60);
      expect(frames.filter(({ type }) => type === "pong")).toHaveLength(41);
      socket.send("{");
      expect(await socket.closed).toEqual({ code: 1008, reason: "too many bad frames" });
    }
  });
});

describeOnBoth("a ping under a rate", { settings: { SEND_RATE: "1", SEND_BURST: "1" } }, (stack) => {
  test("[PING-3] is not counted in that of messages nor in that of typing, and not limited by them", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    for (let sent = 0; sent < 100; sent += 1) ofAlice.send(ping);
    expect(await ofAlice.receiveMany(100)).toEqual(Array(100).fill(pong));
    for (let sent = 0; sent < 5; sent += 1) ofAlice.send({ type: "typing", is_typing: true });
    const typed = { type: "user_typing", user: alice, is_typing: true };
    expect(await ofBob.receiveMany(5)).toEqual(Array(5).fill(typed));
    // Within one turn of the event loop: no token comes back in between.
    for (const message of ["hello", "too much"]) ofAlice.send({ type: "chat_message", message });
    ofAlice.send(ping);
    const answers = (await ofAlice.receiveMany(3)).map(({ type, code }) => code ?? type);
    expect(answers.toSorted()).toEqual(["chat_message", "pong", "rate_limited"]);
  });
});
