/** What is asked of a room may be taken back. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { closing, echoOf, ScriptedRoom, textsOf } from "./scripted-room.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a request that is withdrawn", () => {
  test("is rejected with the reason, and is not sent when it was still waiting", async () => {
    const scripted = await new ScriptedRoom().open();
    const first = scripted.room.send("a");
    const abort = new AbortController();
    const withdrawn = scripted.room.send("b", { signal: abort.signal });
    const last = scripted.room.send("c");
    abort.abort(new Error("changed my mind"));
    await expect(withdrawn).rejects.toThrow("changed my mind");
    scripted.socket.deliver(echoOf(scripted.sent[0], 1));
    expect(textsOf(scripted)).toEqual(["a", "c"]);
    await first;
    await closing(scripted, last);
  });

  test("makes way for the next when it was on its way, and is not asked again", async () => {
    const scripted = await new ScriptedRoom().open();
    const abort = new AbortController();
    const withdrawn = scripted.room.send("a", { signal: abort.signal });
    const next = scripted.room.send("b");
    abort.abort();
    await expect(withdrawn).rejects.toMatchObject({ name: "AbortError" });
    expect(textsOf(scripted)).toEqual(["a", "b"]);
    await scripted.breakLine();
    await scripted.open();
    expect(textsOf(scripted)).toEqual(["b"]);
    await closing(scripted, next);
  });

  test("before it began is not taken at all", async () => {
    const scripted = await new ScriptedRoom().open();
    await expect(scripted.room.send("a", { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
    expect(scripted.room.pending).toEqual([]);
    expect(scripted.sent).toEqual([]);
    scripted.room.close();
  });

  test("leaves nothing at the signal once it is settled", async () => {
    const scripted = await new ScriptedRoom().open();
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    const done = scripted.room.send("a", { signal });
    scripted.socket.deliver(echoOf(scripted.sent[0], 1));
    await done;
    const given = scripted.room.send("b", { signal });
    await closing(scripted, given);
    expect(removed.mock.calls).toEqual(added.mock.calls);
    expect(added).toHaveBeenCalledTimes(2);
  });
});
