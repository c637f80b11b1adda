import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { backoff } from "../../client/backoff.ts";
import { ScriptedRoom } from "./scripted-room.ts";
import { settled } from "./scripted-socket.ts";

/** The largest number that `Math.random` can return. */
const ALMOST_ONE = 1 - 2 ** -53;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("the time before an attempt", () => {
  const failures = fc.nat(2_000);
  const options = fc.record({
    base: fc.integer({ min: 1, max: 100_000 }),
    max: fc.integer({ min: 1, max: 1_000_000 }),
  });
  const boundOf = (failed: number, { base, max }: { base: number; max: number }) => Math.min(max, base * 2 ** failed);

  test("lies between nothing and the bound, which doubles with each failure up to the maximum", () => {
    fc.assert(
      fc.property(failures, options, (failed, option) => {
        const delay = backoff(failed, option);
        return delay >= 0 && delay <= boundOf(failed, option);
      }),
    );
  });

  test("may be anything between: nothing at all, or all of the bound", () => {
    const random = vi.spyOn(Math, "random");
    fc.assert(
      fc.property(failures, options, (failed, option) => {
        random.mockReturnValueOnce(0).mockReturnValueOnce(ALMOST_ONE);
        expect(backoff(failed, option)).toBe(0);
        expect(backoff(failed, option)).toBeCloseTo(boundOf(failed, option), 5);
      }),
    );
  });

  test("is at most a second at first and 30 seconds in the end, where nothing else is said", () => {
    vi.spyOn(Math, "random").mockReturnValue(ALMOST_ONE);
    const delays = [0, 1, 2, 3, 4, 5, 6, 100].map((failed) => Math.round(backoff(failed)));
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });
});

describe("a line that does not come about", () => {
  /** Half of the bound each time. */
  beforeEach(() => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
  });

  const delayOf = ({ room }: ScriptedRoom) => {
    if (room.state.name !== "waiting") throw new Error(`it is ${room.state.name}`);
    return room.state.nextAttemptAt - Date.now();
  };

  test("is tried again when the state said that it would be, and later each time", async () => {
    const scripted = new ScriptedRoom();
    await settled();
    for (const delay of [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      scripted.socket.refuse();
      await settled();
      expect(delayOf(scripted)).toBe(delay);
      const attempts = scripted.network.sockets.length;
      await vi.advanceTimersByTimeAsync(delay - 1);
      expect(scripted.network.sockets).toHaveLength(attempts);
      await vi.advanceTimersByTimeAsync(1);
      expect(scripted.network.sockets).toHaveLength(attempts + 1);
      expect(scripted.room.state).toEqual({ name: "connecting" });
    }
  });

  test("is tried again within the bounds that the app has set", async () => {
    const scripted = new ScriptedRoom({ backoff: { base: 10, max: 30 } });
    await settled();
    for (const delay of [5, 10, 15, 15]) {
      scripted.socket.refuse();
      await settled();
      expect(delayOf(scripted)).toBe(delay);
      await scripted.comeBack();
    }
  });

  test("is tried again soon when it was live in between", async () => {
    const scripted = new ScriptedRoom();
    await settled();
    for (let attempt = 0; attempt < 4; attempt++) {
      scripted.socket.refuse();
      await settled();
      await scripted.comeBack();
    }
    await scripted.open();
    scripted.socket.end();
    expect(delayOf(scripted)).toBe(500);
  });

  test("is tried again ever later when its sockets open and close before they are live", async () => {
    const scripted = new ScriptedRoom();
    await settled();
    for (const delay of [500, 1_000, 2_000, 4_000]) {
      scripted.socket.open();
      scripted.socket.deliver({ type: "online_user_list", users: [] });
      scripted.socket.end(1013);
      expect(delayOf(scripted)).toBe(delay);
      await scripted.comeBack();
    }
  });

  test("is tried at once when the app says so, and once", async () => {
    const scripted = new ScriptedRoom();
    await settled();
    scripted.room.retry();
    await settled();
    expect(scripted.network.sockets).toHaveLength(1);
    scripted.socket.refuse();
    await settled();
    scripted.room.retry();
    scripted.room.retry();
    await settled();
    expect(scripted.network.sockets).toHaveLength(2);
    await scripted.open();
    scripted.room.retry();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(scripted.network.sockets).toHaveLength(2);
    expect(scripted.room.state).toEqual({ name: "open" });
  });
});

describe("a page", () => {
  const page = new EventTarget();
  beforeEach(() => {
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  });

  test("that goes offline drops its socket at once, and comes back as soon as it is online", async () => {
    const scripted = await new ScriptedRoom().open();
    page.dispatchEvent(new Event("offline"));
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { code: 1006, reason: "offline" } });
    expect(scripted.socket.state).toBe("closed");
    page.dispatchEvent(new Event("offline"));
    page.dispatchEvent(new Event("online"));
    await settled();
    expect(scripted.network.sockets).toHaveLength(2);
    await scripted.open();
    expect(scripted.room.state).toEqual({ name: "open" });
    scripted.room.close();
  });

  test("that says it is online changes nothing for a line that is there", async () => {
    const scripted = await new ScriptedRoom().open();
    page.dispatchEvent(new Event("online"));
    await settled();
    expect(scripted.network.sockets).toHaveLength(1);
    expect(scripted.room.state).toEqual({ name: "open" });
    scripted.room.close();
  });
});
