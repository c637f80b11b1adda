/** Every wait of the library has a bound and an end, whatever it waits for and whatever is done meanwhile. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createApi } from "../../client/index.ts";
import { ScriptedRoom } from "./scripted-room.ts";
import { outcomeOf, settled } from "./scripted-socket.ts";

const PATIENCE = 10_000;
const page = new EventTarget();

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Never answers. */
const never = () => new Promise<never>(() => {});

describe("a token that does not come", () => {
  test("in `patience` is a failed attempt; the next one asks anew", async () => {
    const getToken = vi.fn<() => string | Promise<string>>(never);
    const scripted = new ScriptedRoom({ getToken });
    await vi.advanceTimersByTimeAsync(PATIENCE - 1);
    expect(scripted.room.state).toEqual({ name: "connecting" });
    await vi.advanceTimersByTimeAsync(1);
    const reason = expect.stringContaining("getToken has not answered");
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { code: 401, reason } });
    getToken.mockReturnValue("token");
    await scripted.comeBack();
    await scripted.open();
    expect(scripted.room.state).toEqual({ name: "open" });
    expect(getToken).toHaveBeenCalledTimes(2);
    scripted.room.close();
  });

  test("is asked for anew by retry(), and what comes late opens nothing", async () => {
    let give: (token: string) => void = () => {};
    const getToken = vi.fn<() => string | Promise<string>>(() => new Promise((resolve) => (give = resolve)));
    const scripted = new ScriptedRoom({ getToken });
    await settled();
    getToken.mockReturnValue("second");
    scripted.room.retry();
    await settled();
    give("first");
    await settled();
    expect(scripted.network.sockets.map(({ protocols }) => protocols[1])).toEqual(["second"]);
    scripted.room.close();
  });

  test("is not waited for offline, and asked for anew online", async () => {
    const getToken = vi.fn<() => string | Promise<string>>(never);
    const scripted = new ScriptedRoom({ getToken });
    await settled();
    page.dispatchEvent(new Event("offline"));
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { reason: "offline" } });
    page.dispatchEvent(new Event("online"));
    await settled();
    expect(scripted.room.state).toEqual({ name: "connecting" });
    scripted.room.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([undefined, null, 7, "", {}])("because it is %o is a failed attempt that says so", async (given) => {
    const scripted = new ScriptedRoom({ getToken: () => given as never });
    await settled();
    const reason = expect.stringMatching(/^no token: getToken gave .*, expected a token$/);
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { reason } });
    expect(scripted.network.sockets).toHaveLength(0);
    scripted.room.close();
  });
});

describe.each<[string, (scripted: ScriptedRoom) => Promise<unknown>, object]>([
  ["its token is awaited", settled, { getToken: never }],
  ["its socket is being opened", settled, {}],
  [
    "its first frame is awaited",
    async ({ network }) => {
      await settled();
      network.socket.open();
    },
    {},
  ],
  [
    "it asks why it was refused",
    async ({ network }) => {
      await settled();
      network.socket.refuse();
      await settled();
    },
    { fetch: never },
  ],
])("a room, while %s,", (_when, reach, options) => {
  test("waits for its next attempt after `patience`", async () => {
    const scripted = new ScriptedRoom(options);
    await reach(scripted);
    await vi.advanceTimersByTimeAsync(PATIENCE);
    expect(scripted.room.state).toMatchObject({ name: "waiting" });
    scripted.room.close();
  });

  test("takes offline, online, retry() and close()", async () => {
    const scripted = new ScriptedRoom(options);
    await reach(scripted);
    page.dispatchEvent(new Event("offline"));
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { reason: "offline" } });
    page.dispatchEvent(new Event("online"));
    await settled();
    expect(scripted.room.state).toEqual({ name: "connecting" });
    scripted.room.retry();
    await settled();
    expect(scripted.room.state).toEqual({ name: "connecting" });
    scripted.room.close();
    expect(scripted.room.state).toMatchObject({ name: "closed" });
    await settled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a request over HTTP", () => {
  const url = "https://chat.example";
  const unavailable = { error: expect.objectContaining({ name: "ParleyError", code: "unavailable" }) };

  test.each([
    ["whose token does not come", { getToken: never, fetch: never }],
    ["that is not answered", { getToken: () => "token", fetch: never }],
    [
      "whose answer does not end",
      { getToken: () => "token", fetch: async () => new Response(new ReadableStream({ start: () => {} })) },
    ],
  ])("%s ends after 30 s, or the app's own time", async (_what, options) => {
    for (const timeout of [undefined, 500]) {
      const api = createApi({ url, timeout, ...options });
      const outcome = api.me();
      outcome.catch(() => {});
      await vi.advanceTimersByTimeAsync((timeout ?? 30_000) - 1);
      expect(await outcomeOf(outcome)).toBe("pending");
      await vi.advanceTimersByTimeAsync(1);
      expect(await outcomeOf(outcome)).toEqual(unavailable);
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  test("leaves no timer and no listener behind", async () => {
    const abort = new AbortController();
    const added = vi.spyOn(abort.signal, "addEventListener");
    const removed = vi.spyOn(abort.signal, "removeEventListener");
    const fetch = async () => Response.json({ username: "alice" });
    await createApi({ url, getToken: () => "token", fetch, signal: abort.signal }).me();
    await settled();
    expect(added.mock.calls.length).toBeGreaterThan(0);
    expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(
      added.mock.calls.map(([, listener]) => listener),
    );
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that is aborted before it began asks nobody", async () => {
    const getToken = vi.fn(() => "token");
    const fetch = vi.fn<typeof globalThis.fetch>(never);
    const api = createApi({ url, getToken, fetch, signal: AbortSignal.abort() });
    await expect(api.me()).rejects.toMatchObject({ name: "AbortError" });
    expect(fetch).not.toHaveBeenCalled();
  });

  test("from a page of another origin that is not reached says that it may be that", async () => {
    vi.stubGlobal("location", { origin: "https://shop.example" });
    const fetch = () => Promise.reject(new TypeError("Failed to fetch"));
    const failure = createApi({ url, getToken: () => "token", fetch }).me();
    await expect(failure).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("origin") });
  });
});

describe("where newer parts of JavaScript are missing", () => {
  const missing: [object, string][] = [
    [AbortSignal, "any"],
    [AbortSignal, "timeout"],
    [AbortSignal.prototype, "throwIfAborted"],
    [Promise, "withResolvers"],
    [Promise, "try"],
    [Array, "fromAsync"],
    [Object, "hasOwn"],
    [Object, "groupBy"],
    [String.prototype, "isWellFormed"],
    [Array.prototype, "at"],
    [Array.prototype, "findLast"],
    [Array.prototype, "toSorted"],
    [crypto, "randomUUID"],
    [globalThis, "structuredClone"],
  ];

  test("a refused token is replaced, a message sent, and all of it closed", async () => {
    const kept = missing.map(([owner, name]) => [owner, name, Object.getOwnPropertyDescriptor(owner, name)] as const);
    // What Node makes a response of needs some of them.
    const refusal = new Response(null, { status: 401 });
    const answer = { status: 200, ok: true, json: async () => 7 } as Response;
    const scripted = new ScriptedRoom({
      getToken: ({ refresh }) => (refresh ? "fresh" : "old"),
      fetch: async () => refusal,
    });
    const { sockets } = scripted.network;
    const seen: unknown[] = [];
    for (const [owner, name] of missing) Object.defineProperty(owner, name, { value: undefined, configurable: true });
    try {
      await settled();
      sockets[0]?.refuse();
      await settled();
      await scripted.comeBack();
      sockets[1]?.open();
      sockets[1]?.deliver({ type: "resumed", seq: 0 });
      seen.push(scripted.room.state.name);
      const sending = scripted.room.send("hello");
      sockets[1]?.deliver({ ...sockets[1].sent[0], seq: 1 });
      seen.push((await sending).seq);
      const api = createApi({ url: "https://chat.example", getToken: () => "t", fetch: async () => answer });
      seen.push(await api.me());
      scripted.room.close();
      seen.push(scripted.room.state.name);
    } finally {
      for (const [owner, name, descriptor] of kept) {
        if (descriptor) Object.defineProperty(owner, name, descriptor);
        else Reflect.deleteProperty(owner, name);
      }
    }
    // What the test itself is made of may need them.
    expect(seen).toEqual(["open", 1, 7, "closed"]);
  });
});
