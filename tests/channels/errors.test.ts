import { expect, test } from "vitest";
import { describeOnBoth } from "../support/stack.ts";
import { enterPair, enterRoom, openBadge, openConversationBadge, people, say } from "./sockets.ts";

describeOnBoth("bad frames", {}, (stack) => {
  test("[ERROR-1] [ERROR-2] [ERROR-3] are refused one by one, and the socket lives on", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    const chat = { type: "chat_message", client_id: "c1" };
    const cases: [frame: unknown, refusal: object][] = [
      ["{", { code: "invalid_json" }],
      ["", { code: "invalid_json" }],
      ["[]", { code: "invalid_frame", message: expect.stringMatching(/^type: /) }],
      ["null", { code: "invalid_frame", message: expect.stringMatching(/^type: /) }],
      [{ message: "no type" }, { code: "invalid_frame", message: expect.stringMatching(/^type: /) }],
      [{ type: 7 }, { code: "invalid_frame", message: expect.stringMatching(/^type: /) }],
      [
        { ...chat, message: 7 },
        { code: "invalid_frame", message: expect.stringMatching(/^message: /), client_id: "c1" },
      ],
      [
        { ...chat, message: "hi", seq: 7 },
        { code: "invalid_frame", message: "seq: unknown field" },
      ],
      [
        { ...chat, message: "a\u0000b" },
        { code: "invalid_frame", message: expect.stringMatching(/^message: /) },
      ],
      [{ type: "typing" }, { code: "invalid_frame", message: expect.stringMatching(/^is_typing: /) }],
      [
        { type: "typing", is_typing: "yes" },
        { code: "invalid_frame", event: "typing" },
      ],
      [
        { type: "read_messages", id: "a b" },
        { code: "invalid_frame", message: expect.stringMatching(/^id: /) },
      ],
      [
        { type: "edit_message", id: "a" },
        { code: "invalid_frame", message: expect.stringMatching(/^message: /) },
      ],
      [{ type: "delete_message" }, { code: "invalid_frame", message: expect.stringMatching(/^id: /) }],
      [
        { type: "pin_message", id: "a" },
        { code: "invalid_frame", message: expect.stringMatching(/^pinned: /) },
      ],
    ];
    for (const [frame, refusal] of cases) {
      ofAlice.send(frame);
      const type = typeof frame === "object" && frame !== null && "type" in frame ? frame.type : undefined;
      const event = typeof type === "string" ? { event: type } : {};
      expect(await ofAlice.receive()).toMatchObject({ type: "error", ...refusal, ...event });
    }
    expect(await say(ofAlice, "still here")).toMatchObject({ seq: 1 });
  });

  test("[ERROR-4] a binary frame", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    ofAlice.socket.send(Buffer.from(JSON.stringify({ type: "chat_message", message: "hello" })));
    expect(await ofAlice.receive()).toMatchObject({ type: "error", code: "invalid_frame" });
    expect(await say(ofAlice, "as text")).toMatchObject({ seq: 1 });
  });

  test("[ERROR-5] a type that is unknown in a room", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    for (const type of ["user_join", "shout", "", "constructor", "__proto__"]) {
      ofAlice.send(JSON.stringify({ type, client_id: "c1" }));
      expect(await ofAlice.receive()).toMatchObject({ code: "unknown_type", event: type, client_id: "c1" });
    }
  });

  test("[ERROR-5] every type but ping is unknown where a client only listens", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const ofOne = await openConversationBadge(stack(), alice, bob);
    await ofOne.receive();
    for (const socket of [(await openBadge(stack(), alice)).badge, ofOne]) {
      for (const type of ["chat_message", "read_messages", "typing"]) {
        socket.send({ type, message: "hello", is_typing: true });
        expect(await socket.receive()).toMatchObject({ type: "error", code: "unknown_type", event: type });
      }
      for (const type of ["edit_message", "delete_message", "pin_message", "pong", "ack", "Ping", "", "constructor"]) {
        socket.send({ type, client_id: "c1" });
        expect(await socket.receive()).toMatchObject({ type: "error", code: "unknown_type", event: type });
      }
      socket.send("{");
      expect(await socket.receive()).toMatchObject({ type: "error", code: "invalid_json" });
    }
  });

  test("[ERROR-6] the 20th within 10 s closes the socket with 1008; refusals of another kind do not count", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const socket = await enterRoom(stack(), alice, bob);
    const unknown = { type: "delete_message", id: "of-nothing" };
    for (let sent = 0; sent < 20; sent += 1) {
      socket.send(unknown);
      expect(await socket.receive()).toMatchObject({ code: "forbidden" });
    }
    const bad = ["{", "[]", { type: "shout" }, Buffer.from("binary")];
    for (let sent = 0; sent < 20; sent += 1) {
      const frame = bad[sent % bad.length];
      if (Buffer.isBuffer(frame)) socket.socket.send(frame);
      else socket.send(frame);
    }
    expect((await socket.receiveMany(20)).every(({ type }) => type === "error")).toBe(true);
    expect(await socket.closed).toEqual({ code: 1008, reason: "too many bad frames" });
  });
});
