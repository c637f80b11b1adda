/** Whose token it is that opens a socket, and what becomes of one that is refused. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ScriptedRoom } from "./scripted-room.ts";
import { outcomeOf, settled, unreachable } from "./scripted-socket.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A server whose `/api/me` answers with these, one after the other. */
function answering(...statuses: number[]) {
  return vi.fn<typeof fetch>(async () => new Response(null, { status: statuses.shift() ?? 500 }));
}

/** `token 1`, `token 2`, …; and what was asked. */
function numberedTokens() {
  let count = 0;
  return vi.fn(async (_request: { refresh: boolean }) => {
    count += 1;
    return `token ${count}`;
  });
}

const refreshes = (getToken: ReturnType<typeof numberedTokens>) => getToken.mock.calls.map(([{ refresh }]) => refresh);

describe("the token", () => {
  test("goes in the pair of subprotocols, and nowhere else", async () => {
    const secret = "eyJ.secret.token";
    const seen: string[] = [];
    const scripted = new ScriptedRoom({ getToken: () => secret, onWire: ({ path, text }) => seen.push(path, text) });
    await scripted.open(3);
    const sending = scripted.room.send("hello");
    scripted.room.close();
    await expect(sending).rejects.toThrow("closed");
    expect(scripted.socket.protocols).toEqual(["bearer", secret]);
    expect(scripted.socket.url.href).toBe("wss://chat.example/ws/bob/?since=now");
    expect(seen.join()).not.toContain(secret);
    expect(JSON.stringify(scripted.sent)).not.toContain(secret);
  });

  test("is asked for anew before each attempt", async () => {
    const getToken = numberedTokens();
    const scripted = await new ScriptedRoom({ getToken }).open();
    await scripted.breakLine();
    await scripted.open();
    await scripted.breakLine();
    expect(scripted.network.sockets.map(({ protocols }) => protocols[1])).toEqual(["token 1", "token 2", "token 3"]);
    expect(refreshes(getToken)).toEqual([false, false, false]);
    scripted.room.close();
  });

  test.each([
    ["is rejected", () => Promise.reject(new Error("signed out"))],
    [
      "is thrown for",
      () => {
        throw new Error("signed out");
      },
    ],
  ])("that %s is a failed attempt: another one is waited for", async (_how, failing) => {
    const getToken = vi.fn<() => string | Promise<string>>(failing);
    const scripted = new ScriptedRoom({ getToken });
    await settled();
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { reason: "no token: signed out" } });
    expect(scripted.network.sockets).toHaveLength(0);
    getToken.mockReturnValue("token");
    await scripted.comeBack();
    await scripted.open();
    expect(scripted.room.state).toEqual({ name: "open" });
    scripted.room.close();
  });

  test("that no subprotocol can be is a failed attempt", async () => {
    const scripted = new ScriptedRoom({
      WebSocket: class {
        constructor() {
          throw new DOMException("The subprotocol 'a b' is invalid.", "SyntaxError");
        }
      } as never,
    });
    await settled();
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { reason: expect.stringContaining("a b") } });
    scripted.room.close();
  });

  test("that comes after the attempt was given up opens nothing", async () => {
    let give: (token: string) => void = () => {};
    const scripted = new ScriptedRoom({ getToken: () => new Promise((resolve) => (give = resolve)) });
    await settled();
    scripted.room.close();
    give("late");
    await settled();
    expect(scripted.network.sockets).toHaveLength(0);
    expect(scripted.room.state).toMatchObject({ name: "closed", why: { code: 1000 } });
  });
});

describe("a handshake that is refused", () => {
  test("has the same token looked at over HTTP", async () => {
    const fetch = answering(200);
    const scripted = new ScriptedRoom({ fetch, url: "https://chat.example/behind/" });
    await settled();
    scripted.socket.refuse();
    await settled();
    const [url, request] = fetch.mock.calls[0] ?? [];
    expect(String(url)).toBe("https://chat.example/behind/api/me");
    expect(request?.headers).toEqual({ authorization: "Bearer token" });
    scripted.room.close();
  });

  test("for a token that is not valid gets a fresh one, and ends when that is refused too", async () => {
    const getToken = numberedTokens();
    const scripted = new ScriptedRoom({ getToken, fetch: answering(401, 401) });
    await settled();
    scripted.socket.refuse();
    await settled();
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { code: 401 } });
    await scripted.comeBack();
    expect(refreshes(getToken)).toEqual([false, true]);
    scripted.socket.refuse();
    await settled();
    expect(scripted.room.state).toMatchObject({ name: "closed", why: { code: 401 } });
    expect(await scripted.room.closed).toMatchObject({ code: 401 });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("for a token that is not valid is let in with a fresh one; the next one need not be", async () => {
    const getToken = numberedTokens();
    const scripted = new ScriptedRoom({ getToken, fetch: answering(401) });
    await settled();
    scripted.socket.refuse();
    await settled();
    await scripted.comeBack();
    await scripted.open();
    expect(scripted.room.state).toEqual({ name: "open" });
    await scripted.breakLine();
    expect(refreshes(getToken)).toEqual([false, true, false]);
    scripted.room.close();
  });

  test("for a username that another has is final", async () => {
    const scripted = new ScriptedRoom({ fetch: answering(409) });
    await settled();
    scripted.socket.refuse();
    await settled();
    expect(scripted.room.state).toMatchObject({ name: "closed", why: { code: 409 } });
    expect(await outcomeOf(scripted.room.closed)).toMatchObject({ value: { code: 409 } });
  });

  test.each([
    ["the token is good", answering(200, 200, 200)],
    ["the server has trouble", answering(503, 503, 503)],
    ["the origin is refused", answering(403, 403, 403)],
    ["nobody is reached over HTTP either", vi.fn(unreachable)],
  ])("while %s is tried again and again, with tokens as usual", async (_why, fetch) => {
    const getToken = numberedTokens();
    const scripted = new ScriptedRoom({ getToken, fetch });
    await settled();
    for (let attempt = 1; attempt <= 3; attempt++) {
      scripted.socket.refuse();
      await settled();
      expect(scripted.room.state).toMatchObject({ name: "waiting", why: { code: 1006 } });
      expect(fetch).toHaveBeenCalledTimes(attempt);
      await scripted.comeBack();
    }
    expect(refreshes(getToken)).toEqual([false, false, false, false]);
    scripted.room.close();
  });

  test("is not asked about once a socket was open: its close code says what it was", async () => {
    const fetch = answering();
    const scripted = await new ScriptedRoom({ fetch }).open();
    await scripted.breakLine(1006);
    scripted.socket.open();
    scripted.socket.end(1013);
    await settled();
    expect(fetch).not.toHaveBeenCalled();
    scripted.room.close();
  });

  test("is not asked about any longer when the connection is closed meanwhile", async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    let answer: (response: Response) => void = () => {};
    const scripted = new ScriptedRoom({
      fetch: (_url, request) => {
        signals.push(request?.signal);
        return new Promise((resolve) => (answer = resolve));
      },
    });
    await settled();
    scripted.socket.refuse();
    await settled();
    scripted.room.close();
    expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
    answer(new Response(null, { status: 401 }));
    await settled();
    expect(scripted.room.state).toMatchObject({ name: "closed", why: { code: 1000 } });
    expect(vi.getTimerCount()).toBe(0);
  });
});
