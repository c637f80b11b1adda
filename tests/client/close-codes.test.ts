/** The advice of the protocol's table of close codes is what the library does. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type ConnectOptions,
  connectConversationNotifications,
  connectEvents,
  connectNotifications,
  connectRoom,
} from "../../client/index.ts";
import { closeCodes } from "../../server/protocol/close-codes.ts";
import { ScriptedEvents } from "./scripted-events.ts";
import { ScriptedRoom } from "./scripted-room.ts";
import { outcomeOf, ScriptedNetwork, ScriptedSocket, settled } from "./scripted-socket.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const connections = {
  room: (options: ConnectOptions) => connectRoom("bob", options),
  "live chat": (options: ConnectOptions) => connectEvents("/chat", options),
  rooms: (options: ConnectOptions) => connectEvents("/rooms", options),
  notifications: connectNotifications,
  "notifications of a conversation": (options: ConnectOptions) => connectConversationNotifications("bob", options),
};

const known = Object.values(closeCodes);
const unknown = [
  { code: 1000, reconnect: true, reason: "a server that says nothing but goodbye" },
  { code: 1005, reconnect: true, reason: "no code" },
  { code: 1006, reconnect: true, reason: "a line that broke" },
  { code: 1002, reconnect: true, reason: "unknown to the protocol" },
  { code: 4999, reconnect: true, reason: "unknown to the protocol" },
];

describe.each(Object.entries(connections))("%s", (_name, connect) => {
  test.each([...known, ...unknown])("$code, $reason: comes back: $reconnect", async ({ code, reconnect, reason }) => {
    const network = new ScriptedNetwork(ScriptedSocket);
    const connection = connect(network.options);
    await settled();
    network.socket.open();
    network.socket.end(code, reason);
    await vi.advanceTimersByTimeAsync(60_000);
    if (reconnect) {
      expect(network.sockets.length).toBeGreaterThan(1);
      expect(await outcomeOf(connection.closed)).toBe("pending");
      connection.close();
    } else {
      expect(network.sockets).toHaveLength(1);
      expect(connection.state).toEqual({ name: "closed", why: { code, reason } });
      expect(await connection.closed).toEqual({ code, reason });
    }
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a frame that was too large (1009)", () => {
  const { code } = closeCodes.tooLarge;

  test("costs the request that it was, not the line; what waited behind it goes out on the next one", async () => {
    const out: string[] = [];
    const scripted = new ScriptedRoom({
      onWire: ({ direction, text }) => {
        if (direction === "out") out.push(text);
      },
    });
    await scripted.open(3);
    const large = scripted.room.send("x".repeat(70_000));
    const next = scripted.room.send("next");
    const rejection = expect(large).rejects.toMatchObject({ name: "ParleyError", code: "too_large" });
    await scripted.breakLine(code);
    await rejection;
    // Nothing is said to be sent on a line that is gone.
    expect(out).toHaveLength(1);

    await scripted.open(3);
    expect(scripted.sent).toMatchObject([{ message: "next" }]);
    scripted.socket.deliver({ ...scripted.sent[0], id: "m4", seq: 4 });
    expect(await next).toMatchObject({ seq: 4 });
    scripted.room.close();
  });

  test("is the largest of those on their way; the others are asked again, and what never went out is not given up", async () => {
    const scripted = await new ScriptedEvents("/rooms").open();
    const { events } = scripted;
    const edit = (text: string) => events.send("editMessage", { message_id: "m1", room_id: "r1", message: text });
    const small = edit("small");
    const large = edit("x".repeat(70_000));
    const rejection = expect(large).rejects.toMatchObject({ code: "too_large" });
    const others = Array.from({ length: 30 }, (_, index) => edit(String(index)));
    // The window of 32 is full: this one, which is not to be done twice, waits.
    const group = events.send("createGroup", { room_name: "group", recipients: ["bob"] });
    scripted.socket.end(code);
    await rejection;

    await vi.advanceTimersByTimeAsync(1_000);
    await scripted.open();
    expect(scripted.asked).toHaveLength(32);
    expect(scripted.asked[0]).toMatchObject({ data: { message: "small" } });
    expect(scripted.asked.at(-1)).toMatchObject({ event: "createGroup" });
    for (const request of scripted.asked) scripted.acknowledge(request);
    expect(await Promise.all([small, group, ...others])).toHaveLength(32);
    events.close();
  });
});

describe("a token that expired (4401)", () => {
  const { code } = closeCodes.tokenExpired;

  test("is replaced at once by a fresh one; the second time in a row that takes a while", async () => {
    const getToken = vi.fn(({ refresh }: { refresh: boolean }) => (refresh ? "fresh" : "old"));
    const scripted = await new ScriptedRoom({ getToken }).open();
    scripted.socket.end(code);
    await settled();
    expect(scripted.network.sockets.map(({ protocols }) => protocols[1])).toEqual(["old", "fresh"]);
    scripted.socket.open();
    scripted.socket.end(code);
    await settled();
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { code } });
    expect(scripted.network.sockets).toHaveLength(2);

    await scripted.comeBack();
    await scripted.open();
    expect(getToken.mock.calls.map(([{ refresh }]) => refresh)).toEqual([false, true, true]);

    // It was live in between: at once again, and the next line's token need not be fresh.
    scripted.socket.end(code);
    await settled();
    expect(scripted.network.sockets).toHaveLength(4);
    await scripted.open();
    await scripted.breakLine();
    expect(getToken.mock.calls.map(([{ refresh }]) => refresh)).toEqual([false, true, true, true, false]);
    scripted.room.close();
  });
});

describe("a connection that is closed for good", () => {
  test.each([closeCodes.notAMember, closeCodes.noSuchRoom])("says why: $code", async ({ code, reason }) => {
    const scripted = await new ScriptedRoom().open();
    scripted.socket.end(code, reason);
    expect(scripted.room.state).toEqual({ name: "closed", why: { code, reason } });
    expect(await scripted.room.closed).toEqual({ code, reason });
    await expect(scripted.room.send("late")).rejects.toMatchObject({ code: "closed" });
    scripted.room.retry();
    await settled();
    expect(scripted.network.sockets).toHaveLength(1);
  });
});
