/** One token is asked for at a time, and shared: a refresh token that may be used once is used once. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connectNotifications, connectRoom, createApi } from "../../client/index.ts";
import { ScriptedNetwork, ScriptedSocket, settled } from "./scripted-socket.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** An app that says how many of its calls are under way at most; each takes `time` ms. */
function issuer(time: number) {
  let underWay = 0;
  let most = 0;
  const asked: boolean[] = [];
  const getToken = async ({ refresh }: { refresh: boolean }) => {
    asked.push(refresh);
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, time));
    underWay -= 1;
    return refresh ? `fresh ${asked.length}` : "kept";
  };
  return { getToken, asked, mostAtOnce: () => most };
}

/** Connections of one app, made with options of their own and the same getToken. */
function threeWith(getToken: (request: { refresh: boolean }) => string | Promise<string>) {
  const network = new ScriptedNetwork(ScriptedSocket);
  const connections = [
    connectRoom("bob", { ...network.options, getToken }),
    connectRoom("carol", { ...network.options, getToken }),
    connectNotifications({ ...network.options, getToken }),
  ];
  const openAll = () => {
    for (const socket of network.sockets.slice(-3)) {
      socket.open();
      const isBadge = socket.url.pathname === "/ws/notifications/";
      socket.deliver(isBadge ? { type: "unread_count", unread_count: 0 } : { type: "resumed", seq: 0 });
    }
  };
  return { network, openAll, close: () => connections.forEach((connection) => void connection.close()) };
}

describe("three connections", () => {
  test("that begin together ask once", async () => {
    const { getToken, asked } = issuer(100);
    const { network, close } = threeWith(getToken);
    await vi.advanceTimersByTimeAsync(100);
    expect(asked).toEqual([false]);
    expect(network.sockets.map(({ protocols }) => protocols[1])).toEqual(["kept", "kept", "kept"]);
    close();
  });

  test.each([
    ["at the same moment", 0],
    ["one after the other, while the first one asks", 30],
    ["one after the other, when the first one has a fresh token", 500],
  ])("whose token expires %s ask for a fresh one once", async (_when, apart) => {
    const { getToken, asked } = issuer(100);
    const { network, openAll, close } = threeWith(getToken);
    await vi.advanceTimersByTimeAsync(100);
    openAll();
    for (const socket of network.sockets.slice(0, 3)) {
      socket.end(4401);
      await vi.advanceTimersByTimeAsync(apart);
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toEqual([false, true]);
    expect(network.sockets.slice(3).map(({ protocols }) => protocols[1])).toEqual(["fresh 2", "fresh 2", "fresh 2"]);
    close();
  });

  test("and an API ask one at a time, whoever needs what", async () => {
    const { getToken, asked, mostAtOnce } = issuer(100);
    const fetch: typeof globalThis.fetch = async (_url, request) => {
      const isKept = new Headers(request?.headers).get("authorization") === "Bearer kept";
      return isKept
        ? Response.json({ error: { code: "unauthorized", message: "expired" } }, { status: 401 })
        : Response.json({});
    };
    const api = createApi({ url: "https://chat.example", getToken, fetch });
    const asking = Promise.all([api.me(), api.users(), api.conversations()]);
    await vi.advanceTimersByTimeAsync(100);
    // It needs one while the API asks for a fresh one.
    const { network, close } = threeWith(getToken);
    await vi.advanceTimersByTimeAsync(1_000);
    await asking;
    expect(asked).toEqual([false, true]);
    expect(mostAtOnce()).toBe(1);
    expect(network.sockets.map(({ protocols }) => protocols[1])).toEqual(["fresh 2", "fresh 2", "fresh 2"]);
    close();
  });

  test("of which one retries while a token does not come share the next one", async () => {
    const calls = vi.fn<() => string | Promise<string>>(() => new Promise(() => {}));
    const network = new ScriptedNetwork(ScriptedSocket);
    const rooms = ["bob", "carol", "dave"].map((name) => connectRoom(name, { ...network.options, getToken: calls }));
    await settled();
    calls.mockImplementation(async () => "token");
    for (const room of rooms) room.retry();
    await settled();
    expect(calls).toHaveBeenCalledTimes(2);
    expect(network.sockets).toHaveLength(3);
    for (const room of rooms) room.close();
  });

  test("that are told of a failure are told of the same one", async () => {
    const getToken = vi.fn(() => Promise.reject(new Error("signed out")));
    const { network, close } = threeWith(getToken);
    await settled();
    expect(getToken).toHaveBeenCalledTimes(1);
    expect(network.sockets).toHaveLength(0);
    close();
  });
});

test("a fresh token that is refused itself is asked for anew", async () => {
  const { getToken, asked } = issuer(0);
  const network = new ScriptedNetwork(ScriptedSocket);
  const room = connectRoom("bob", { ...network.options, getToken });
  await vi.advanceTimersByTimeAsync(0);
  for (let expired = 0; expired < 3; expired++) {
    network.socket.open();
    network.socket.deliver({ type: "resumed", seq: 0 });
    network.socket.end(4401);
    await vi.advanceTimersByTimeAsync(0);
  }
  expect(asked).toEqual([false, true, true, true]);
  room.close();
});

test("two apps, each with a function of its own, share nothing", async () => {
  const network = new ScriptedNetwork(ScriptedSocket);
  const rooms = ["alice's", "bob's"].map((token) => connectRoom("room", { ...network.options, getToken: () => token }));
  await settled();
  expect(network.sockets.map(({ protocols }) => protocols[1])).toEqual(["alice's", "bob's"]);
  for (const room of rooms) room.close();
});
