/** What is closed is closed: nothing goes on running, and nothing is heard any more. */
import { afterEach, beforeEach, describe, expect, type Mock, test, vi } from "vitest";
import type { RoomOptions } from "../../client/index.ts";
import { closeCodes } from "../../server/protocol/close-codes.ts";
import { echoOf, message, resumed, ScriptedRoom } from "./scripted-room.ts";
import { settled } from "./scripted-socket.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** What was added and not removed. */
function leftOf(added: Mock, removed: Mock): unknown[] {
  const { calls } = removed.mock;
  return added.mock.calls.filter(([type, listener]) => !calls.some((call) => call[0] === type && call[1] === listener));
}

/** A room for which it is seen what it leaves behind, and what it tells. */
function watchedRoom(options: Partial<RoomOptions> = {}) {
  const page = { addEventListener: vi.fn(), removeEventListener: vi.fn() };
  vi.stubGlobal("addEventListener", page.addEventListener);
  vi.stubGlobal("removeEventListener", page.removeEventListener);
  const abort = new AbortController();
  const added = vi.spyOn(abort.signal, "addEventListener");
  const removed = vi.spyOn(abort.signal, "removeEventListener");
  const scripted = new ScriptedRoom({ signal: abort.signal, ...options });
  const told: unknown[] = [];
  scripted.room.onState(({ name }) => told.push(name));
  scripted.room.onFrame(({ type }) => told.push(type));
  return {
    scripted,
    abort,
    told,
    /** After whatever may still happen. */
    expectNothingLeft: async () => {
      expect(vi.getTimerCount()).toBe(0);
      expect(leftOf(added, removed)).toEqual([]);
      expect(leftOf(page.addEventListener, page.removeEventListener)).toEqual([]);
      const toldBefore = [...told];
      const { length } = scripted.network.sockets;
      for (const socket of scripted.network.sockets) {
        expect(socket.state).toBe("closed");
        socket.deliver(message(1_000));
        socket.end(1006);
      }
      scripted.room.retry();
      scripted.room.typing(true);
      await vi.advanceTimersByTimeAsync(3_600_000);
      expect(scripted.network.sockets).toHaveLength(length);
      expect(told).toEqual(toldBefore);
      expect(scripted.room.state).toEqual({ name: "closed", why: { code: 1000, reason: "closed by this client" } });
      expect(await scripted.room.closed).toEqual({ code: 1000, reason: "closed by this client" });
      await expect(scripted.room.send("late")).rejects.toMatchObject({ name: "ParleyError", code: "closed" });
      expect(vi.getTimerCount()).toBe(0);
    },
  };
}

/** The ways to each moment at which a room may be closed. */
const moments: Record<string, (scripted: ScriptedRoom) => unknown> = {
  "while its token is awaited": settled,
  "while its socket is being opened": settled,
  "before it is live": async (scripted) => {
    await settled();
    scripted.socket.open();
  },
  "while it is open": (scripted) => scripted.open(),
  "while it asks": async (scripted) => {
    await scripted.open();
    scripted.room.typing(true);
    await vi.advanceTimersByTimeAsync(35_000);
  },
  "while it waits for its next attempt": async (scripted) => {
    await scripted.open();
    scripted.socket.end();
  },
  "while it asks why it was refused": async (scripted) => {
    await settled();
    scripted.socket.refuse();
  },
};

describe.each(Object.entries(moments))("a room that is closed %s", (name, reach) => {
  const options = name.includes("token") ? { getToken: () => new Promise<string>(() => {}) } : {};

  test.each(["close", "abort"] as const)("with %s() leaves nothing", async (how) => {
    const { scripted, abort, told, expectNothingLeft } = watchedRoom(options);
    await reach(scripted);
    if (how === "close") scripted.room.close();
    else abort.abort();
    expect(told.at(-1)).toBe("closed");
    scripted.room.close();
    await expectNothingLeft();
  });
});

describe("closing", () => {
  test("says goodbye with 1000", async () => {
    const scripted = await new ScriptedRoom().open();
    scripted.room.close();
    expect(scripted.socket.closedWith).toBe(1000);
  });

  test.each(["close", "abort"] as const)("before it began opens nothing, and asks for no token (%s)", async (how) => {
    const getToken = vi.fn(() => "token");
    const { scripted, abort, told, expectNothingLeft } = watchedRoom({ getToken });
    if (how === "close") scripted.room.close();
    else abort.abort();
    await settled();
    expect(told).toEqual(["closed"]);
    expect(getToken).not.toHaveBeenCalled();
    expect(scripted.network.sockets).toHaveLength(0);
    await expectNothingLeft();
  });

  test("rejects all that is not acknowledged as `closed`, and what comes after it", async () => {
    const scripted = await new ScriptedRoom().open();
    const { room } = scripted;
    const requests = [room.send("a"), room.edit("m1", "b"), room.read()];
    room.close();
    for (const request of requests)
      await expect(request).rejects.toMatchObject({ name: "ParleyError", code: "closed" });
    await expect(room.read()).rejects.toMatchObject({ code: "closed" });
    expect(room.pending).toEqual([]);
    expect(scripted.sent).toHaveLength(1);
  });

  test("costs nobody anything who did not wait for an answer", async () => {
    const scripted = await new ScriptedRoom().open();
    // An unhandled rejection would end the process.
    void scripted.room.send("a");
    void scripted.room.read();
    scripted.room.close();
    await settled();
    expect(scripted.room.pending).toEqual([]);
  });

  test("while the server's limit is waited for ends the waiting", async () => {
    const { scripted, expectNothingLeft } = watchedRoom();
    await scripted.open();
    const request = scripted.room.send("a");
    const { client_id } = scripted.sent[0] ?? {};
    scripted.socket.deliver({ type: "error", code: "rate_limited", message: "slowly", retry_after: 60_000, client_id });
    scripted.room.close();
    await expect(request).rejects.toMatchObject({ code: "closed" });
    await expectNothingLeft();
  });
});

describe("a room that is closed by who listens to it", () => {
  test.each(["connecting", "open", "waiting"])("when it is %s stays closed", async (state) => {
    const getToken = vi.fn(() => "token");
    const { scripted, told, expectNothingLeft } = watchedRoom({ getToken });
    scripted.room.onState(({ name }) => {
      if (name === state) scripted.room.close();
    });
    await settled();
    expect(getToken).toHaveBeenCalledTimes(state === "connecting" ? 0 : 1);
    scripted.network.sockets.at(-1)?.open();
    scripted.network.sockets.at(-1)?.deliver({ type: "online_user_list", users: [] }, resumed(0));
    scripted.network.sockets.at(-1)?.end();
    await settled();
    expect(told.at(-1)).toBe("closed");
    await expectNothingLeft();
  });

  test.each(["online_user_list", "resumed", "chat_message"])(
    "at a frame, %s, stays closed, and others hear nothing more",
    async (type) => {
      const { scripted, expectNothingLeft } = watchedRoom();
      const heard: string[] = [];
      scripted.room.onFrame((frame) => {
        if (frame.type === type) scripted.room.close();
      });
      scripted.room.onFrame((frame) => heard.push(frame.type));
      await scripted.open(5);
      scripted.socket.deliver(message(6));
      expect(heard).not.toContain(type);
      await expectNothingLeft();
    },
  );

  test("once everything is acknowledged stays closed", async () => {
    const { scripted, expectNothingLeft } = watchedRoom();
    await scripted.open();
    const request = scripted.room.send("a");
    scripted.room.onPending((pending) => {
      if (pending.length === 0) scripted.room.close();
    });
    scripted.socket.deliver(echoOf(scripted.sent[0], 1));
    expect(await request).toMatchObject({ seq: 1 });
    await expectNothingLeft();
  });

  test("once nothing is asked any more stays closed, also when the last request ended its line", async () => {
    const { scripted, expectNothingLeft } = watchedRoom();
    await scripted.open();
    const request = scripted.room.send("a");
    scripted.room.onPending((pending) => {
      if (pending.length === 0) scripted.room.close();
    });
    const rejection = expect(request).rejects.toMatchObject({ code: "too_large" });
    scripted.socket.end(closeCodes.tooLarge.code);
    await rejection;
    await expectNothingLeft();
  });
});
