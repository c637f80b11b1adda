/** A room comes back to where it was: nothing is missed, and nothing is told twice. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { message, resumed, ScriptedRoom } from "./scripted-room.ts";
import { settled } from "./scripted-socket.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const sinceOf = ({ socket }: ScriptedRoom) => socket.url.searchParams.get("since");

const edited = (seq: number) => ({
  type: "message_edited",
  id: "m1",
  seq,
  message: `text ${seq}`,
  date_edited: "2030-01-01T12:00:00.000Z",
  from_user: { username: "bob" },
});
const deleted = (seq: number) => ({ type: "message_deleted", id: "m1", seq, deleted_by: "bob" });
const pinned = (seq: number) => ({ type: "message_pinned", id: "m1", seq, pinned: true, pinned_by: "bob" });

function seqsOf({ room }: ScriptedRoom): number[] {
  const seqs: number[] = [];
  room.onFrame((frame) => {
    if ("seq" in frame && frame.type !== "resumed" && frame.type !== "resume_failed") seqs.push(frame.seq);
  });
  return seqs;
}

describe("where a room begins", () => {
  test("without a number: from now on, and the server says where that is", async () => {
    const scripted = new ScriptedRoom();
    await settled();
    expect(sinceOf(scripted)).toBe("now");
    expect(scripted.room.seq).toBeNull();
    scripted.socket.open();
    scripted.socket.deliver({ type: "online_user_list", users: [] }, { type: "resume_failed", seq: 40 });
    expect(scripted.room.seq).toBe(40);
    expect(scripted.room.state).toEqual({ name: "open" });
    scripted.room.close();
  });

  test("with a number: after it", async () => {
    const scripted = new ScriptedRoom({ since: 7 });
    const seqs = seqsOf(scripted);
    await settled();
    expect(sinceOf(scripted)).toBe("7");
    expect(scripted.room.seq).toBe(7);
    scripted.socket.open();
    scripted.socket.deliver({ type: "online_user_list", users: [] }, message(8), edited(10), resumed(11));
    expect(seqs).toEqual([8, 10]);
    expect(scripted.room.seq).toBe(11);
    scripted.room.close();
  });

  test("0 is a number", async () => {
    const scripted = new ScriptedRoom({ since: 0 });
    await settled();
    expect(sinceOf(scripted)).toBe("0");
    scripted.room.close();
  });
});

describe("a room that comes back", () => {
  test("says the number of the last change that it delivered", async () => {
    const scripted = await new ScriptedRoom().open(5);
    scripted.socket.deliver(message(6), edited(7));
    expect(scripted.room.seq).toBe(7);
    await scripted.breakLine();
    expect(sinceOf(scripted)).toBe("7");
    scripted.socket.open();
    scripted.socket.deliver({ type: "resume_failed", seq: 9_000 });
    expect(scripted.room.seq).toBe(9_000);
    await scripted.breakLine();
    expect(sinceOf(scripted)).toBe("9000");
    scripted.room.close();
  });

  test("does not take the number of a read message for that of a change", async () => {
    const scripted = await new ScriptedRoom().open(5);
    const read = { type: "messages_read", user: "bob", id: "m9", seq: 9, date_read: "2030-01-01T12:00:00.000Z" };
    scripted.socket.deliver(read);
    scripted.socket.deliver({ ...read, seq: 2 });
    expect(scripted.room.seq).toBe(5);
    scripted.room.close();
  });

  test("is open only when the replay is over", async () => {
    const scripted = await new ScriptedRoom().open(5);
    const states: string[] = [];
    scripted.room.onState(({ name }) => states.push(name));
    await scripted.breakLine();
    scripted.socket.open();
    await settled();
    scripted.socket.deliver({ type: "online_user_list", users: [] }, message(6), message(7));
    expect(scripted.room.state).toEqual({ name: "connecting" });
    scripted.socket.deliver(resumed(7));
    expect(states).toEqual(["waiting", "connecting", "open"]);
    scripted.room.close();
  });

  test("goes on from the middle of a replay that broke", async () => {
    const scripted = await new ScriptedRoom().open(5);
    const seqs = seqsOf(scripted);
    await scripted.breakLine();
    scripted.socket.open();
    scripted.socket.deliver({ type: "online_user_list", users: [] }, message(6), deleted(9));
    await scripted.breakLine();
    expect(sinceOf(scripted)).toBe("9");
    scripted.socket.open();
    scripted.socket.deliver({ type: "online_user_list", users: [] }, message(10), resumed(10), message(11));
    expect(seqs).toEqual([6, 9, 10, 11]);
    scripted.room.close();
  });

  test.each([
    ["message", message],
    ["edit", edited],
    ["deletion", deleted],
    ["pin", pinned],
  ])("tells of a %s once, however often it comes", async (_kind, change) => {
    const scripted = await new ScriptedRoom().open(5);
    const seqs = seqsOf(scripted);
    scripted.socket.deliver(change(6), change(6), change(4), change(7), change(6));
    await scripted.breakLine();
    scripted.socket.open();
    scripted.socket.deliver(change(7), change(8), resumed(8), change(8), change(9));
    expect(seqs).toEqual([6, 7, 8, 9]);
    expect(scripted.room.seq).toBe(9);
    scripted.room.close();
  });

  test("tells of presence anew: that has no number", async () => {
    const scripted = new ScriptedRoom();
    const types: string[] = [];
    scripted.room.onFrame(({ type }) => types.push(type));
    await scripted.open(5);
    await scripted.breakLine();
    await scripted.open(5);
    scripted.socket.deliver({ type: "user_join", user: "bob" }, { type: "user_join", user: "bob" });
    expect(types).toEqual([
      ...["online_user_list", "resumed"],
      ...["online_user_list", "resumed", "user_join", "user_join"],
    ]);
    scripted.room.close();
  });

  test("takes what is marked as repeated for an answer, not for news", async () => {
    const scripted = await new ScriptedRoom().open(5);
    const seqs = seqsOf(scripted);
    const sending = scripted.room.send({ message: "hello", client_id: "a" });
    // It was stored, delivered to whoever had this room before a restart of the app, and asked for again.
    scripted.socket.deliver(message(3, { client_id: "a", repeated: true }));
    expect(await sending).toMatchObject({ seq: 3, client_id: "a" });
    expect(seqs).toEqual([]);
    expect(scripted.room.seq).toBe(5);
    scripted.socket.deliver(message(9, { client_id: "b", repeated: true }), message(6));
    expect(seqs).toEqual([6]);
    scripted.room.close();
  });
});
