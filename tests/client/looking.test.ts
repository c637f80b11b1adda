/** A page that somebody looks at again: after a sleep, from another tab, out of the browser's memory. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { message, ScriptedRoom } from "./scripted-room.ts";
import { settled } from "./scripted-socket.ts";

const ping = { type: "ping" };
/** As browsers have them: an event is told to the one, and does not reach the other. */
let window: EventTarget;
let document: EventTarget & { visibilityState: string };

beforeEach(() => {
  vi.useFakeTimers();
  window = new EventTarget();
  document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
  vi.stubGlobal("removeEventListener", window.removeEventListener.bind(window));
  vi.stubGlobal("document", document);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const looks: [string, () => void][] = [
  ["is shown", () => document.dispatchEvent(new Event("visibilitychange"))],
  ["is focused", () => window.dispatchEvent(new Event("focus"))],
  ["is restored from the back/forward cache", () => window.dispatchEvent(new Event("pageshow"))],
  ["is woken", () => document.dispatchEvent(new Event("resume"))],
];

const lookInAllWays = () => {
  for (const [, look] of looks) look();
};

describe.each(looks)("a page that %s", (_how, look) => {
  test("makes the next attempt at once, and one", async () => {
    const scripted = await new ScriptedRoom().open();
    scripted.socket.end();
    expect(scripted.room.state).toMatchObject({ name: "waiting" });
    look();
    look();
    await settled();
    expect(scripted.network.sockets).toHaveLength(2);
    await scripted.open();
    expect(scripted.room.state).toEqual({ name: "open" });
    scripted.room.close();
  });

  test("asks an open line at once, and leaves it within `patience` when it is dead", async () => {
    const scripted = await new ScriptedRoom().open();
    await vi.advanceTimersByTimeAsync(12_000);
    look();
    expect(scripted.sent).toEqual([ping]);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(scripted.room.state).toEqual({ name: "open" });
    await vi.advanceTimersByTimeAsync(1);
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { reason: "no answer" } });
    scripted.room.close();
  });

  test("changes nothing for a line that is being opened, or is closed", async () => {
    const scripted = new ScriptedRoom();
    await settled();
    look();
    await settled();
    expect(scripted.network.sockets).toHaveLength(1);
    scripted.room.close();
    look();
    await settled();
    expect(scripted.network.sockets).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("who looks in all ways at once asks once, and once more when that was answered", async () => {
  const scripted = await new ScriptedRoom().open();
  await vi.advanceTimersByTimeAsync(12_000);
  lookInAllWays();
  expect(scripted.sent).toEqual([ping]);
  scripted.socket.deliver({ type: "pong" });
  lookInAllWays();
  expect(scripted.sent).toEqual([ping, ping]);
  scripted.room.close();
});

test("a page that is hidden asks nothing and tries nothing", async () => {
  const scripted = await new ScriptedRoom().open();
  await vi.advanceTimersByTimeAsync(12_000);
  document.visibilityState = "hidden";
  lookInAllWays();
  expect(scripted.sent).toEqual([]);
  scripted.socket.end();
  lookInAllWays();
  await settled();
  expect(scripted.network.sockets).toHaveLength(1);
  scripted.room.close();
});

test("a line that heard something just before a long sleep is asked on waking, without anybody who looks", async () => {
  const scripted = await new ScriptedRoom().open();
  await vi.advanceTimersByTimeAsync(12_000);
  scripted.socket.deliver(message(1));
  // The clock went on, the timers did not.
  vi.setSystemTime(Date.now() + 3_600_000);
  await vi.advanceTimersByTimeAsync(23_000);
  expect(scripted.sent).toEqual([ping]);
  scripted.room.close();
});

describe("too many sockets (4429)", () => {
  test("is tried again, in the longer half of the maximum", async () => {
    for (const [random, delay] of [
      [0, 15_000],
      [0.5, 22_500],
    ] as const) {
      vi.spyOn(Math, "random").mockReturnValue(random);
      const scripted = await new ScriptedRoom().open();
      scripted.socket.end(4429, "too many sockets for one user");
      const { state } = scripted.room;
      expect(state).toMatchObject({ name: "waiting", why: { code: 4429 } });
      expect(state.name === "waiting" && state.nextAttemptAt - Date.now()).toBe(delay);
      scripted.room.close();
    }
  });

  test("is tried at once by retry(), and for one when another connection of the page is closed", async () => {
    const [first, second, other] = [new ScriptedRoom(), new ScriptedRoom(), new ScriptedRoom()];
    for (const scripted of [first, second, other]) await scripted.open();
    first.socket.end(4429);
    second.socket.end(4429);
    other.room.close();
    await settled();
    expect([first, second].map(({ network }) => network.sockets.length)).toEqual([2, 1]);
    second.room.retry();
    await settled();
    expect(second.network.sockets).toHaveLength(2);
    for (const { room } of [first, second]) room.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
