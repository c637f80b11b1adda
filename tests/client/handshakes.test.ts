/** A handshake that fails: however it is told of, it ends one attempt, once, and what to change is said. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connectRoom } from "../../client/index.ts";
import { ScriptedRoom } from "./scripted-room.ts";
import { ScriptedNetwork, ScriptedSocket, settled, tokenWith, unreachable } from "./scripted-socket.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** As that of Node 22: of a handshake that failed it tells by an error, and of nothing else. */
class ErrorOnlySocket extends ScriptedSocket {
  override refuse(): void {
    this.state = "closed";
    this.fail("");
  }
}

/** As that of the package `ws`, which knows the status. */
class StatusSocket extends ScriptedSocket {
  refuseWith(status: number): void {
    this.fail(`Unexpected server response: ${status}`);
    this.end();
  }
}

/** As a socket that closes without an error, as some do whose connection was reset. */
class CloseOnlySocket extends ScriptedSocket {
  override refuse(): void {
    this.end();
  }
}

function roomOn<Socket extends ScriptedSocket>(
  Socket: new (url: string, protocols: string[]) => Socket,
  options: object = {},
) {
  const network = new ScriptedNetwork(Socket);
  return { network, room: connectRoom("bob", { ...network.options, ...options }) };
}

const refreshing = (old = "old") => vi.fn(({ refresh }: { refresh: boolean }): string => (refresh ? "fresh" : old));
const refreshes = (getToken: ReturnType<typeof refreshing>) => getToken.mock.calls.map(([{ refresh }]) => refresh);
const answering = (status: number) => vi.fn<typeof fetch>(async () => new Response(null, { status }));

describe.each([
  ["an error and a close", ScriptedSocket],
  ["an error alone", ErrorOnlySocket],
  ["a close alone", CloseOnlySocket],
])("a failed handshake that is told of by %s", (_how, Socket) => {
  test("ends the attempt at once, and once", async () => {
    const { network, room } = roomOn(Socket);
    const states: string[] = [];
    room.onState(({ name }) => states.push(name));
    await settled();
    network.socket.refuse();
    await settled();
    expect(states).toEqual(["connecting", "waiting"]);
    network.socket.refuse();
    network.socket.end();
    await settled();
    expect(states).toEqual(["connecting", "waiting"]);
    room.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("of a token that is refused is followed by a fresh one", async () => {
    const getToken = refreshing();
    const { network, room } = roomOn(Socket, { getToken, fetch: answering(401) });
    await settled();
    network.socket.refuse();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(network.sockets.map(({ protocols }) => protocols[1])).toEqual(["old", "fresh"]);
    room.close();
  });
});

describe("an error of a socket that was open", () => {
  test("leaves the word to the close after it", async () => {
    const { network, room } = roomOn(ScriptedSocket);
    await settled();
    network.socket.open();
    network.socket.onerror?.({} as never);
    expect(room.state).toEqual({ name: "connecting" });
    network.socket.end(4404, "no such room");
    expect(room.state).toMatchObject({ name: "closed", why: { code: 4404 } });
  });

  test("ends the line within `patience` when no close comes", async () => {
    const scripted = await new ScriptedRoom().open();
    await vi.advanceTimersByTimeAsync(15_000);
    scripted.socket.onerror?.({} as never);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { reason: "no answer" } });
    scripted.room.close();
  });
});

describe("why", () => {
  const reasonFor = async (status: number) => {
    const { network, room } = roomOn(StatusSocket, { fetch: unreachable });
    await settled();
    network.socket.refuseWith(status);
    await settled();
    const { state } = room;
    room.close();
    return state;
  };

  test.each([
    [403, "ALLOWED_ORIGINS"],
    [404, "`url`"],
    [426, "upgrades"],
    [429, "too many connections"],
    [502, "502"],
    [503, "not ready"],
  ])("says what status %d means, where the WebSocket tells it: %s", async (status, words) => {
    const state = await reasonFor(status);
    expect(state).toMatchObject({ name: "waiting", why: { code: 1006, reason: expect.stringContaining(words) } });
  });

  test("is the token, or the username, where the status says so", async () => {
    expect(await reasonFor(401)).toMatchObject({ name: "waiting", why: { code: 401 } });
    expect(await reasonFor(409)).toMatchObject({ name: "closed", why: { code: 409 } });
  });

  test.each([
    ["only the socket is refused", answering(200), "ALLOWED_ORIGINS"],
    ["something else answers", answering(502), "502"],
    ["nobody is reached", vi.fn(unreachable), "not reached"],
  ])("says that %s, where HTTP tells it", async (_what, fetch, words) => {
    const scripted = new ScriptedRoom({ fetch });
    await settled();
    scripted.socket.refuse();
    await settled();
    const why = { code: 1006, reason: expect.stringContaining(words) };
    expect(scripted.room.state).toMatchObject({ name: "waiting", why });
    scripted.room.close();
  });

  test("that is never told ends with the patience, whatever becomes of the question", async () => {
    const scripted = new ScriptedRoom({ fetch: () => new Promise(() => {}) });
    await settled();
    scripted.socket.refuse();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(scripted.room.state).toEqual({ name: "connecting" });
    await vi.advanceTimersByTimeAsync(1);
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { code: 1006 } });
    scripted.room.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a page of another origin", () => {
  /** The page cannot see the answers of the server: an attempt, and what it was refused with. */
  async function failures(count: number, getToken: ReturnType<typeof refreshing>) {
    vi.stubGlobal("location", { origin: "https://shop.example" });
    const scripted = new ScriptedRoom({ getToken, fetch: unreachable });
    for (let failed = 0; failed < count; failed++) {
      await settled();
      scripted.socket.refuse();
      await settled();
      if (failed < count - 1) await scripted.comeBack();
    }
    return scripted;
  }

  test("has a kept token that expired replaced, and is let in", async () => {
    const expired = tokenWith({ sub: "alice", exp: Math.floor(Date.now() / 1_000) - 5 });
    const getToken = refreshing(expired);
    const scripted = await failures(1, getToken);
    await scripted.comeBack();
    await scripted.open();
    expect(scripted.socket.protocols[1]).toBe("fresh");
    expect(refreshes(getToken)).toEqual([false, true]);
    scripted.room.close();
  });

  test("is told what it may be", async () => {
    const scripted = await failures(1, refreshing());
    const reason = expect.stringMatching(/another origin.*ALLOWED_ORIGINS.*token.*url/);
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { code: 1006, reason } });
    scripted.room.close();
  });

  test("asks the issuer ever more seldom while nothing helps", async () => {
    const scripted = await failures(17, refreshing());
    const fresh = scripted.network.sockets.flatMap(({ protocols }, index) => (protocols[1] === "fresh" ? [index] : []));
    expect(fresh).toEqual([1, 2, 4, 8, 16]);
    scripted.room.close();
  });

  test("asks it later where the token says that it has not expired", async () => {
    const valid = tokenWith({ sub: "alice", exp: Math.floor(Date.now() / 1_000) + 3_600 });
    const getToken = vi.fn((_request: { refresh: boolean }) => valid);
    const scripted = await failures(6, getToken);
    expect(refreshes(getToken)).toEqual([false, false, false, false, true, false]);
    scripted.room.close();
  });
});

describe("url", () => {
  test.each(["ftp://chat.example", "chat.example:8000", "localhost:8000", "/chat", "", "https://", "file:///tmp"])(
    "%o is no address: that is said at once, and nothing is tried",
    async (url) => {
      const network = new ScriptedNetwork(ScriptedSocket);
      expect(() => connectRoom("bob", { ...network.options, url })).toThrow(/^url: expected .*, got /);
      await settled();
      expect(network.sockets).toHaveLength(0);
    },
  );

  test.each([
    ["ws://chat.example/a", "ws://chat.example/a/ws/bob/", "http://chat.example/a/api/me"],
    ["wss://chat.example", "wss://chat.example/ws/bob/", "https://chat.example/api/me"],
    ["http://chat.example:81", "ws://chat.example:81/ws/bob/", "http://chat.example:81/api/me"],
  ])("%s is one, for sockets and for HTTP", async (url, socket, http) => {
    const fetch = answering(200);
    const { network, room } = roomOn(ScriptedSocket, { url, fetch });
    await settled();
    expect(network.socket.url.href).toBe(`${socket}?since=now`);
    network.socket.refuse();
    await settled();
    expect(String(fetch.mock.calls[0]?.[0])).toBe(http);
    room.close();
  });
});
