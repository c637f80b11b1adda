/** The event dialects come back to where each conversation was. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { dialectRules } from "../../client/dialects.ts";
import type { EventFrame } from "../../client/index.ts";
import { ScriptedEvents } from "./scripted-events.ts";
import { outcomeOf, settled } from "./scripted-socket.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const sinceInPath = ({ socket }: { socket: { url: URL } }) =>
  JSON.parse(socket.url.searchParams.get("since") ?? "null");
const heardOf = ({ heard }: { heard: readonly EventFrame[] }) =>
  heard.map(({ data }) => (data as { seq?: number }).seq);

const dialects = [
  {
    path: "/chat" as const,
    message: (id: string, seq: number, fields = {}) => ({
      event: "chat:message_receive",
      data: { chatId: id, seq, ...fields },
    }),
    edited: (id: string, seq: number) => ({ event: "chat:message_edited", data: { chatId: id, seq } }),
    read: (id: string, seq: number) => ({ event: "chat:message_read", data: { chatId: id, seq } }),
    resumed: (id: string, seq: number) => ({ event: "chat:resumed", data: { chatId: id, seq } }),
    resumeFailed: (id: string, seq: number) => ({ event: "chat:resume_failed", data: { chatId: id, seq } }),
  },
  {
    path: "/rooms" as const,
    // As an event that is named after the user's id, too.
    message: (id: string, seq: number, fields = {}) => ({
      event: seq % 2 ? "alice" : "message",
      data: { room_id: id, seq, ...fields },
    }),
    edited: (id: string, seq: number) => ({ event: "edited", data: { room_id: id, seq } }),
    read: (id: string, seq: number) => ({ event: "seen", data: { room_id: id, seq } }),
    resumed: (id: string, seq: number) => ({ event: "resumed", data: { room_id: id, seq } }),
    resumeFailed: (id: string, seq: number) => ({ event: "resume_failed", data: { room_id: id, seq } }),
  },
];

describe.each(dialects)("on $path", ({ path, message, edited, read, resumed, resumeFailed }) => {
  test("each change of each conversation is told once, however often it comes", async () => {
    const scripted = await new ScriptedEvents(path, { since: { a: 5 } }).open();
    scripted.socket.deliver(
      message("a", 5),
      message("a", 6),
      message("b", 3),
      edited("a", 7),
      message("a", 6),
      edited("b", 3),
    );
    expect(heardOf(scripted)).toEqual([6, 3, 7]);
    expect(scripted.events.positions).toEqual({ a: 7, b: 3 });
    await scripted.breakLine();
    await scripted.open(message("a", 7), message("a", 8), resumed("a", 8));
    expect(heardOf(scripted)).toEqual([6, 3, 7, 8, 8]);
    scripted.events.close();
  });

  test("the number of a read message is not that of a change", async () => {
    const scripted = await new ScriptedEvents(path, { since: { a: 5 } }).open();
    scripted.socket.deliver(read("a", 9), read("a", 2));
    expect(heardOf(scripted)).toEqual([9, 2]);
    expect(scripted.events.positions).toEqual({ a: 5 });
    scripted.events.close();
  });

  test("the end of a replay says where the conversation stands, and who listens hears of it", async () => {
    const scripted = await new ScriptedEvents(path, { since: { a: 5, b: 900 } }).open();
    scripted.socket.deliver(message("a", 6), resumed("a", 9), resumeFailed("b", 40));
    expect(heardOf(scripted)).toEqual([6, 9, 40]);
    expect(scripted.events.positions).toEqual({ a: 9, b: 40 });
    scripted.socket.deliver(message("b", 41));
    expect(heardOf(scripted).at(-1)).toBe(41);
    scripted.events.close();
  });

  test("what is marked as repeated is an answer, not news", async () => {
    const scripted = await new ScriptedEvents(path, { since: { a: 5 } }).open();
    scripted.socket.deliver(message("a", 3, { repeated: true }), message("a", 8, { repeated: true }));
    expect(scripted.heard).toEqual([]);
    expect(scripted.events.positions).toEqual({ a: 5 });
    scripted.events.close();
  });

  test("those are kept in which something was heard last, as many as fit where they are said", async () => {
    const { maxPositions } = dialectRules[path];
    const scripted = await new ScriptedEvents(path).open();
    for (let number = 0; number < maxPositions; number++) scripted.socket.deliver(message(`c${number}`, 1));
    scripted.socket.deliver(message("c0", 2), message("new", 1));
    const { positions } = scripted.events;
    expect(Object.keys(positions)).toHaveLength(maxPositions);
    expect(positions).toMatchObject({ c0: 2, c2: 1, new: 1 });
    expect(positions).not.toHaveProperty("c1");
    scripted.events.close();
  });
});

describe("/chat", () => {
  test("says in its path where each conversation is, as JSON; nothing where it knows of none", async () => {
    const scripted = await new ScriptedEvents("/chat").open();
    expect(scripted.socket.url.search).toBe("");
    scripted.socket.deliver({ event: "chat:message_receive", data: { chatId: "c-1", seq: 4 } });
    await scripted.breakLine();
    expect(sinceInPath(scripted)).toEqual({ "c-1": 4 });
    await scripted.open({ event: "chat:resumed", data: { chatId: "c-1", seq: 6 } });
    await scripted.breakLine();
    expect(sinceInPath(scripted)).toEqual({ "c-1": 6 });
    scripted.events.close();
  });

  test("begins where the app says", async () => {
    const scripted = new ScriptedEvents("/chat", { since: { a: 1, b: 0 } });
    await settled();
    expect(sinceInPath(scripted)).toEqual({ a: 1, b: 0 });
    scripted.events.close();
  });

  test("settles a message that was asked for again by its acknowledgement", async () => {
    const scripted = await new ScriptedEvents("/chat").open();
    const request = scripted.events.send("chat:message_send", { chatId: "a", content: "hello" });
    const data = { chatId: "a", seq: 3, repeated: true };
    scripted.socket.deliver({ event: "chat:message_receive", data });
    scripted.acknowledge(scripted.asked[0], data);
    expect(await request).toEqual(data);
    expect(scripted.heard).toEqual([]);
    scripted.events.close();
  });
});

describe("/rooms", () => {
  const list = (...rooms: { _id: string; seq: number }[]) => ({ event: "connectRooms", data: rooms });
  const connected = async (since?: Record<string, number>) => {
    const scripted = await new ScriptedEvents("/rooms", { since }).open();
    const request = scripted.events.send("connectRooms", { user_id: "alice" });
    return { scripted, request };
  };

  test("asks for its list with what it knows, and says nothing in its path", async () => {
    const { scripted, request } = await connected({ a: 5 });
    expect(scripted.socket.url.search).toBe("");
    expect(scripted.asked).toMatchObject([{ event: "connectRooms", data: { user_id: "alice", since: { a: 5 } } }]);
    scripted.socket.deliver(list({ _id: "a", seq: 9 }, { _id: "b", seq: 2 }));
    scripted.acknowledge(scripted.asked[0]);
    await request;
    // What came in between in `a` is still to be replayed; `b` begins where the list shows it.
    expect(scripted.events.positions).toEqual({ a: 5, b: 2 });
    expect(scripted.heard).toHaveLength(1);
    scripted.events.close();
  });

  test("asks for the list again after the line broke, from where it is by then, before anything else", async () => {
    const { scripted, request } = await connected();
    scripted.socket.deliver(list({ _id: "a", seq: 9 }));
    scripted.acknowledge(scripted.asked[0]);
    await request;
    scripted.socket.deliver({ event: "message", data: { room_id: "a", seq: 10 } });
    const typing = scripted.events.send("messageSeen", { room_id: "a", message_id: "m1" });
    await scripted.breakLine();
    await settled();
    scripted.socket.open();
    const data = { user_id: "alice", since: { a: 10 } };
    expect(scripted.socket.sent).toEqual([{ event: "connectRooms", id: "open", data }]);
    scripted.socket.deliver(list({ _id: "a", seq: 11 }, { _id: "new", seq: 1 }));
    expect(scripted.events.state).toEqual({ name: "connecting" });
    scripted.socket.deliver({ event: "ack", id: "open", data: {} });
    expect(scripted.asked).toMatchObject([{ event: "messageSeen" }]);
    expect(scripted.events.positions).toEqual({ a: 10, new: 1 });
    expect(scripted.heard.filter(({ event }) => event === "connectRooms")).toHaveLength(2);
    scripted.events.close();
    await expect(typing).rejects.toMatchObject({ code: "closed" });
  });

  test("begins where the app says in its list, once: later it knows better", async () => {
    const scripted = await new ScriptedEvents("/rooms").open();
    const request = scripted.events.send("connectRooms", { since: { a: 3 } });
    expect(scripted.asked).toMatchObject([{ data: { since: { a: 3 } } }]);
    scripted.acknowledge(scripted.asked[0]);
    await request;
    scripted.socket.deliver({ event: "message", data: { room_id: "a", seq: 4 } });
    await scripted.breakLine();
    await scripted.open();
    expect(scripted.socket.sent).toMatchObject([{ event: "connectRooms", data: { since: { a: 4 } } }]);
    scripted.events.close();
  });

  test("asks for a list that was on its way when the line broke once more, and once", async () => {
    const { scripted, request } = await connected();
    await scripted.breakLine();
    await scripted.open();
    expect(scripted.socket.sent.filter(({ event }) => event === "connectRooms")).toHaveLength(1);
    scripted.events.close();
    await expect(request).rejects.toMatchObject({ code: "closed" });
  });

  test("does not open its lines with a list that was refused", async () => {
    const { scripted, request } = await connected();
    const outcome = outcomeOf(request);
    const refusal = { code: "forbidden", message: "user_id: that is somebody else" };
    scripted.socket.deliver({ event: "error", id: scripted.asked[0]?.id, data: refusal });
    expect(await outcome).toMatchObject({ error: { code: "forbidden" } });
    await scripted.breakLine();
    await scripted.open();
    expect(scripted.socket.sent).toEqual([{ event: "ping", id: "open" }]);
    expect(scripted.events.state).toEqual({ name: "open" });
    scripted.events.close();
  });

  test("knows a group from when its user is told of it", async () => {
    const scripted = await new ScriptedEvents("/rooms").open();
    scripted.socket.deliver({ event: "group_alice", data: { _id: "g", seq: 0 } });
    expect(scripted.events.positions).toEqual({ g: 0 });
    scripted.socket.deliver(
      { event: "message", data: { room_id: "g", seq: 1 } },
      { event: "group_alice", data: { _id: "g", seq: 0 } },
    );
    expect(scripted.events.positions).toEqual({ g: 1 });
    expect(scripted.heard).toHaveLength(3);
    scripted.events.close();
  });
});
