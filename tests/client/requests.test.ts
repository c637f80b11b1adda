/** What is asked of a room: in order, one at a time, until it is answered, over whatever lines. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { closing, echoOf, message, resumed, ScriptedRoom, textsOf } from "./scripted-room.ts";
import { outcomeOf, settled } from "./scripted-socket.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("requests", () => {
  test("go out one at a time, in order", async () => {
    const scripted = await new ScriptedRoom().open();
    const requests = ["a", "b", "c"].map((text) => scripted.room.send(text));
    expect(textsOf(scripted)).toEqual(["a"]);
    scripted.socket.deliver(message(1));
    expect(textsOf(scripted)).toEqual(["a"]);
    scripted.socket.deliver(echoOf(scripted.sent[0], 2));
    expect(textsOf(scripted)).toEqual(["a", "b"]);
    scripted.socket.deliver(echoOf(scripted.sent[1], 3));
    scripted.socket.deliver(echoOf(scripted.sent[2], 4));
    expect(textsOf(scripted)).toEqual(["a", "b", "c"]);
    expect((await Promise.all(requests)).map(({ seq }) => seq)).toEqual([2, 3, 4]);
    scripted.room.close();
  });

  test("wait until the room is live", async () => {
    const scripted = new ScriptedRoom();
    const request = scripted.room.send("early");
    await settled();
    scripted.socket.open();
    scripted.socket.deliver({ type: "online_user_list", users: [] });
    expect(scripted.sent).toEqual([]);
    scripted.socket.deliver(resumed(0));
    expect(textsOf(scripted)).toEqual(["early"]);
    await closing(scripted, request);
  });

  test("have a client id of their own each, or that of the app", async () => {
    const scripted = await new ScriptedRoom().open();
    const requests = [
      scripted.room.send("a"),
      scripted.room.send({ message: "b", client_id: "mine" }),
      scripted.room.send({ message: "c", client_id: undefined }),
      // To the server it is none, and without one a message that is sent again would be two.
      scripted.room.send({ message: "d", client_id: "" }),
    ];
    const ids = scripted.room.pending.map(({ client_id }) => client_id);
    expect(ids[1]).toBe("mine");
    for (const id of [ids[0], ids[2], ids[3]]) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(ids).size).toBe(4);
    await closing(scripted, ...requests);
  });

  test("carry the fields of a message, and a text even where there is none", async () => {
    const scripted = await new ScriptedRoom().open();
    const request = scripted.room.send({ multimedia_url: "photo.jpg", media_type: "IMAGE", client_id: "p" });
    const expected = {
      type: "chat_message",
      message: "",
      multimedia_url: "photo.jpg",
      media_type: "IMAGE",
      client_id: "p",
    };
    expect(scripted.sent).toEqual([expected]);
    await closing(scripted, request);
  });

  test("that change something are acknowledged by their ack", async () => {
    const scripted = await new ScriptedRoom().open();
    const { room } = scripted;
    const requests = [room.edit("m1", "new"), room.delete("m1"), room.pin("m1", true), room.read("m1"), room.read()];
    const expected = [
      { type: "edit_message", id: "m1", message: "new" },
      { type: "delete_message", id: "m1" },
      { type: "pin_message", id: "m1", pinned: true },
      { type: "read_messages", id: "m1" },
      { type: "read_messages" },
    ];
    const frames: unknown[] = [];
    room.onFrame((frame) => frames.push(frame));
    for (const [index, frame] of expected.entries()) {
      expect(scripted.sent).toHaveLength(index + 1);
      const { client_id } = scripted.sent[index] ?? {};
      expect(scripted.sent[index]).toEqual({ ...frame, client_id });
      expect(await outcomeOf(requests[index] ?? Promise.reject())).toBe("pending");
      scripted.socket.deliver({ type: "ack", client_id });
      expect(await outcomeOf(requests[index] ?? Promise.reject())).toEqual({ value: undefined });
    }
    // An acknowledgement is for who has asked.
    expect(frames).toEqual([]);
    room.close();
  });

  test("are to be seen until they are acknowledged, by who listens too", async () => {
    const scripted = await new ScriptedRoom().open();
    const seen: string[][] = [];
    const stop = scripted.room.onPending((pending) =>
      seen.push(pending.map((frame) => (frame.type === "chat_message" ? String(frame.message) : frame.type))),
    );
    const requests = [scripted.room.send("a"), scripted.room.read()];
    scripted.socket.deliver(echoOf(scripted.sent[0], 1));
    expect(scripted.room.pending).toMatchObject([{ type: "read_messages" }]);
    stop();
    await closing(scripted, ...requests.slice(1));
    await requests[0];
    expect(seen).toEqual([["a"], ["a", "read_messages"], ["read_messages"]]);
    expect(scripted.room.pending).toEqual([]);
  });

  test("of the same client id are one, as long as it is not acknowledged", async () => {
    const scripted = await new ScriptedRoom().open();
    const first = scripted.room.send({ message: "a", client_id: "a" });
    expect(scripted.room.send({ message: "a", client_id: "a" })).toBe(first);
    expect(scripted.sent).toHaveLength(1);
    scripted.socket.deliver(echoOf(scripted.sent[0], 1));
    await first;
    // Now it is the server that knows it.
    const again = scripted.room.send({ message: "a", client_id: "a" });
    scripted.socket.deliver(echoOf(scripted.sent[1], 1, { repeated: true }));
    expect(await again).toMatchObject({ seq: 1, repeated: true });
    scripted.room.close();
  });

  test("past the bound are not taken, and the others are not lost by that", async () => {
    const scripted = await new ScriptedRoom({ queueLimit: 2 }).open();
    const requests = [scripted.room.send("a"), scripted.room.send("b")];
    await expect(scripted.room.send("c")).rejects.toMatchObject({ name: "ParleyError", code: "queue_full" });
    scripted.socket.deliver(echoOf(scripted.sent[0], 1));
    requests.push(scripted.room.send("d"));
    scripted.socket.deliver(echoOf(scripted.sent[1], 2));
    scripted.socket.deliver(echoOf(scripted.sent[2], 3));
    expect((await Promise.all(requests)).map(({ message: text }) => text)).toEqual(["a", "b", "d"]);
    scripted.room.close();
  });

  test("of typing are dropped where there is no live line", async () => {
    const scripted = new ScriptedRoom();
    scripted.room.typing(true);
    await settled();
    scripted.socket.open();
    scripted.room.typing(true);
    await scripted.open();
    expect(scripted.sent).toEqual([]);
    scripted.room.typing(true);
    scripted.socket.end();
    scripted.room.typing(false);
    await settled();
    await scripted.comeBack();
    await scripted.open();
    expect(scripted.network.sockets.map(({ sent }) => sent)).toEqual([[{ type: "typing", is_typing: true }], []]);
    scripted.room.close();
  });
});

describe("after the line broke", () => {
  test("what is not acknowledged is asked again, as it was and in order", async () => {
    const scripted = await new ScriptedRoom().open();
    const { room } = scripted;
    const requests = [room.send("a"), room.edit("m1", "b"), room.send("c")];
    const pending = [...room.pending];
    await scripted.breakLine();
    expect(room.pending).toEqual(pending);
    await scripted.open();
    expect(scripted.sent).toEqual(pending.slice(0, 1));
    scripted.socket.deliver(echoOf(scripted.sent[0], 1));
    await scripted.breakLine();
    await scripted.open(1);
    expect(scripted.sent).toEqual(pending.slice(1, 2));
    scripted.socket.deliver({ type: "ack", client_id: pending[1]?.client_id });
    scripted.socket.deliver(echoOf(scripted.sent[1], 2));
    expect(scripted.sent).toEqual(pending.slice(1));
    expect(await Promise.all(requests)).toMatchObject([{ message: "a" }, undefined, { message: "c" }]);
    room.close();
  });

  test("what is found in the replay was done: it is not asked again", async () => {
    const scripted = await new ScriptedRoom().open();
    const frames: unknown[] = [];
    scripted.room.on("chat_message", ({ seq }) => frames.push(seq));
    const requests = [scripted.room.send("a"), scripted.room.send("b")];
    const [sent] = scripted.sent;
    await scripted.breakLine();
    scripted.socket.open();
    await settled();
    scripted.socket.deliver({ type: "online_user_list", users: [] }, message(1), echoOf(sent, 2), resumed(2));
    expect(textsOf(scripted)).toEqual(["b"]);
    expect(await requests[0]).toMatchObject({ seq: 2, message: "a" });
    expect(frames).toEqual([1, 2]);
    await closing(scripted, ...requests.slice(1));
  });

  test("what was stored without the echo having come is settled by the repeated one", async () => {
    const scripted = await new ScriptedRoom().open();
    const request = scripted.room.send("a");
    await scripted.breakLine();
    await scripted.open(1);
    scripted.socket.deliver(echoOf(scripted.sent[0], 1, { repeated: true }));
    expect(await request).toMatchObject({ seq: 1 });
    expect(scripted.room.pending).toEqual([]);
    scripted.room.close();
  });
});
