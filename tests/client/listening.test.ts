/** Those who listen: with a function, or with a loop. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FrameIterator } from "../../client/frame-iterator.ts";
import type { RoomServerFrame } from "../../client/index.ts";
import { message, ScriptedRoom } from "./scripted-room.ts";
import { outcomeOf, settled } from "./scripted-socket.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const seqOf = (frame: RoomServerFrame) => ("seq" in frame ? frame.seq : null);
const messages = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => message(from + index));

describe("a loop over a room", () => {
  /** Walks until the loop ends. */
  async function walk({ room }: ScriptedRoom, seqs: (number | null)[]): Promise<string> {
    for await (const frame of room) seqs.push(seqOf(frame));
    return "ended";
  }

  test("is given every frame from then on, in order, those that come while it is busy too", async () => {
    const scripted = await new ScriptedRoom().open();
    scripted.socket.deliver(message(1));
    const seqs: (number | null)[] = [];
    const walking = walk(scripted, seqs);
    scripted.socket.deliver(message(2), message(3));
    await settled();
    expect(seqs).toEqual([2, 3]);
    scripted.socket.deliver({ type: "user_join", user: "bob" }, message(4));
    scripted.room.close();
    expect(await walking).toBe("ended");
    expect(seqs).toEqual([2, 3, null, 4]);
  });

  test("goes on over a broken line, without those that it had", async () => {
    const scripted = await new ScriptedRoom().open();
    const seqs: (number | null)[] = [];
    const walking = walk(scripted, seqs);
    scripted.socket.deliver(message(1));
    await scripted.breakLine();
    scripted.socket.open();
    scripted.socket.deliver(message(1), message(2), { type: "resumed", seq: 2 });
    scripted.room.close();
    await walking;
    expect(seqs).toEqual([1, 2, 2]);
  });

  test("ends when the room is closed here, or its signal aborted", async () => {
    for (const end of ["close", "abort"] as const) {
      const abort = new AbortController();
      const scripted = await new ScriptedRoom({ signal: abort.signal }).open();
      const walking = walk(scripted, []);
      if (end === "close") scripted.room.close();
      else abort.abort();
      expect(await walking).toBe("ended");
    }
  });

  test("throws when the room is closed for good, after what had come before", async () => {
    const scripted = await new ScriptedRoom().open();
    const seqs: (number | null)[] = [];
    const outcome = outcomeOf(walk(scripted, seqs));
    scripted.socket.deliver(message(1), message(2));
    scripted.socket.end(4404, "no such room");
    expect(await outcome).toEqual({
      error: expect.objectContaining({ name: "ParleyError", code: "closed", message: "no such room (4404)" }),
    });
    expect(seqs).toEqual([1, 2]);
  });

  test("over a room that is closed already ends, or throws, at once", async () => {
    const left = await new ScriptedRoom().open();
    left.room.close();
    expect(await walk(left, [])).toBe("ended");
    const gone = await new ScriptedRoom().open();
    gone.socket.end(4403, "no longer a member");
    await expect(walk(gone, [])).rejects.toMatchObject({ code: "closed" });
  });

  test("that is left costs nothing any more, and the room goes on", async () => {
    const scripted = await new ScriptedRoom().open();
    const released = vi.spyOn(FrameIterator.prototype, "push");
    const leaving = (async () => {
      for await (const frame of scripted.room) if (seqOf(frame) === 2) return "left";
      return "ended";
    })();
    scripted.socket.deliver(message(1), message(2));
    expect(await leaving).toBe("left");
    released.mockClear();
    scripted.socket.deliver(message(3));
    expect(released).not.toHaveBeenCalled();
    expect(scripted.room.state).toEqual({ name: "open" });
    scripted.room.close();
  });

  test("is one of several, each with all frames", async () => {
    const scripted = await new ScriptedRoom().open();
    const [one, other]: (number | null)[][] = [[], []];
    const walking = [walk(scripted, one ?? []), walk(scripted, other ?? [])];
    scripted.socket.deliver(message(1), message(2));
    scripted.room.close();
    await Promise.all(walking);
    expect([one, other]).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test("may be 10,000 frames behind", async () => {
    const scripted = await new ScriptedRoom().open();
    const frames = scripted.room[Symbol.asyncIterator]();
    scripted.socket.deliver(...messages(1, 10_000));
    scripted.room.close();
    const seqs: (number | null)[] = [];
    for await (const frame of frames) seqs.push(seqOf(frame));
    expect(seqs).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
  });

  test("that is further behind throws `interrupted` in the end, and keeps no more", async () => {
    const scripted = await new ScriptedRoom().open();
    const frames = scripted.room[Symbol.asyncIterator]();
    const walking = (async () => {
      let last: number | null = 0;
      try {
        for await (const frame of frames) {
          // What it is given has no hole.
          expect(seqOf(frame)).toBe((last ?? 0) + 1);
          last = seqOf(frame);
          if (last === 1) scripted.socket.deliver(...messages(2, 12_000));
        }
      } catch (error) {
        return { last, error };
      }
      return { last };
    })();
    scripted.socket.deliver(message(1));
    const { last, error } = await walking;
    expect(error).toMatchObject({ name: "ParleyError", code: "interrupted" });
    expect(last).toBeLessThan(10_100);
    expect(scripted.room.state).toEqual({ name: "open" });
    scripted.room.close();
  });
});

describe("a listener", () => {
  test("hears from then on, until it is taken away, or its signal aborted", async () => {
    const scripted = await new ScriptedRoom().open();
    const heard = { taken: [] as number[], aborted: [] as number[], never: [] as number[] };
    const abort = new AbortController();
    const stop = scripted.room.on("chat_message", ({ seq }) => heard.taken.push(seq));
    scripted.room.on("chat_message", ({ seq }) => heard.aborted.push(seq), { signal: abort.signal });
    scripted.room.on("chat_message", ({ seq }) => heard.never.push(seq), { signal: AbortSignal.abort() });
    scripted.socket.deliver(message(1));
    stop();
    scripted.socket.deliver(message(2));
    abort.abort();
    scripted.socket.deliver(message(3));
    expect(heard).toEqual({ taken: [1], aborted: [1, 2], never: [] });
    scripted.room.close();
  });

  test("that was taken away by another one does not hear of the same frame any more", async () => {
    const scripted = await new ScriptedRoom().open();
    const heard: string[] = [];
    const stops: (() => void)[] = [];
    scripted.room.onFrame(() => stops.forEach((stop) => void stop()));
    stops.push(scripted.room.onFrame(({ type }) => heard.push(type)));
    scripted.socket.deliver(message(1));
    expect(heard).toEqual([]);
    scripted.room.close();
  });

  test("leaves nothing at its signal when it is taken away", async () => {
    const scripted = await new ScriptedRoom().open();
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    scripted.room.onFrame(() => {}, { signal })();
    scripted.room.onState(() => {}, { signal })();
    scripted.room.onPending(() => {}, { signal })();
    // The room's end takes it away.
    scripted.room.onFrame(() => {}, { signal });
    scripted.room.close();
    expect(added).toHaveBeenCalledTimes(4);
    expect(removed.mock.calls).toEqual(added.mock.calls);
  });

  test("that throws is reported, and costs the others nothing", async () => {
    const scripted = await new ScriptedRoom().open();
    const heard: number[] = [];
    const request = scripted.room.send({ message: "a", client_id: "a" });
    scripted.room.on("chat_message", () => {
      throw new Error("a fault of the app's");
    });
    scripted.room.on("chat_message", ({ seq }) => heard.push(seq));
    const loop = scripted.room[Symbol.asyncIterator]();
    const reports: (() => void)[] = [];
    const queue = vi.spyOn(globalThis, "queueMicrotask").mockImplementation((report) => reports.push(report));
    scripted.socket.deliver(message(1), message(2, { client_id: "a" }));
    queue.mockRestore();
    expect(heard).toEqual([1, 2]);
    expect(await request).toMatchObject({ seq: 2 });
    expect((await loop.next()).value).toMatchObject({ seq: 1 });
    expect(reports).toHaveLength(2);
    for (const report of reports) expect(report).toThrow("a fault of the app's");
    scripted.room.close();
  });

  test("hears of states in the order in which they came about, also of those that another one brings about", async () => {
    const scripted = await new ScriptedRoom().open();
    const states: string[] = [];
    scripted.room.onState(({ name }) => {
      if (name === "waiting") scripted.room.retry();
      if (name === "open") scripted.room.close();
    });
    scripted.room.onState(({ name }) => states.push(name));
    scripted.socket.end();
    await scripted.open();
    expect(states).toEqual(["waiting", "connecting", "open", "closed"]);
  });

  test("sees the wire as it is: every text, which way it goes, and on which path", async () => {
    const seen: unknown[] = [];
    const scripted = new ScriptedRoom({ onWire: (frame) => seen.push(frame) });
    await scripted.open();
    scripted.room.typing(true);
    scripted.socket.deliver({ type: "pong" });
    expect(seen.slice(2)).toEqual([
      { direction: "out", path: "/ws/bob/", text: '{"type":"typing","is_typing":true}' },
      { direction: "in", path: "/ws/bob/", text: '{"type":"pong"}' },
    ]);
    expect(seen).toHaveLength(4);
    scripted.room.close();
  });
});
