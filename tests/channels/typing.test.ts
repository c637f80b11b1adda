import { expect, test } from "vitest";
import { describeOnBoth } from "../support/stack.ts";
import { enterPair, openRoom, people, say } from "./sockets.ts";

describeOnBoth("typing", { nodes: 2 }, (stack) => {
  test("[FRAME-6] is told to the others on every node, and to none of the typist's own sockets", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const nearAlice = await openRoom(stack(), alice, bob);
    const farAlice = await openRoom(stack(), alice, bob, { node: 1 });
    const nearBob = await openRoom(stack(), bob, alice);
    for (const socket of [nearAlice, farAlice, nearBob]) await socket.receiveType("online_user_list");
    for (const is_typing of [true, false]) {
      ofAlice.send({ type: "typing", is_typing });
      for (const socket of [ofBob, nearBob]) {
        expect(await socket.receive()).toEqual({ type: "user_typing", user: alice, is_typing });
      }
    }
    await say(ofBob, "hello");
    for (const socket of [ofAlice, nearAlice, farAlice]) {
      expect((await socket.receive()).type).toBe("chat_message");
    }
  });

  test("[LIMIT-3] beyond 5 a second is dropped in silence", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const sent = 200;
    for (let count = 0; count < sent; count += 1) ofAlice.send({ type: "typing", is_typing: true });
    await say(ofAlice, "typed");
    // Typing takes no number: the last of the five may come after the message.
    let heard = 0;
    let isSaid = false;
    while (!isSaid || heard < 5) {
      const { type } = await ofBob.receive();
      if (type === "user_typing") heard += 1;
      else isSaid = true;
    }
    // 200 of them would take 39 s at that rate: far longer than this test may.
    expect(heard).toBeLessThan(sent);
  });
});
