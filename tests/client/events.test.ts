/** What is asked in the event dialects, and what becomes of it. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ScriptedEvents } from "./scripted-events.ts";
import { outcomeOf, settled } from "./scripted-socket.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const chat = (options = {}) => new ScriptedEvents("/chat", options);
const rooms = (options = {}) => new ScriptedEvents("/rooms", options);
const status = { userId: "bob" };
const interrupted = { error: expect.objectContaining({ name: "ParleyError", code: "interrupted" }) };

/** Closes, and sees to it that what is still asked is given up as `closed`. */
async function closing(
  { events }: Pick<ReturnType<typeof chat>, never> & { events: { close(): void } },
  ...requests: Promise<unknown>[]
) {
  events.close();
  for (const request of requests) await expect(request).rejects.toMatchObject({ code: "closed" });
}

describe("a line of events", () => {
  test("is open when the server has acknowledged its first word, and then what waited goes out", async () => {
    const scripted = chat();
    const request = scripted.events.send("user:get_status", status);
    await settled();
    expect(scripted.socket.url.href).toBe("wss://chat.example/chat");
    scripted.socket.open();
    expect(scripted.socket.sent).toEqual([{ event: "ping", id: "open" }]);
    expect(scripted.events.state).toEqual({ name: "connecting" });
    scripted.socket.deliver({ event: "pong", data: {} }, { event: "ack", id: "open", data: {} });
    expect(scripted.events.state).toEqual({ name: "open" });
    expect(scripted.asked).toMatchObject([{ event: "user:get_status", data: status }]);
    expect(scripted.heard).toEqual([]);
    await closing(scripted, request);
  });

  test("is dropped when that is refused, and tried again", async () => {
    const scripted = chat();
    await settled();
    scripted.socket.open();
    const refusal = { code: "unavailable", message: "storage does not answer" };
    scripted.socket.deliver({ event: "error", id: "open", data: refusal });
    expect(scripted.events.state).toMatchObject({ name: "waiting", why: { code: 1013, reason: refusal.message } });
    expect(scripted.socket.state).toBe("closed");
    expect(scripted.heard).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    await scripted.open();
    expect(scripted.events.state).toEqual({ name: "open" });
    scripted.events.close();
  });

  test("hands events to who listens to them, with their data alone", async () => {
    const scripted = await chat().open();
    const heard: unknown[] = [];
    scripted.events.on("chat:typing_start", (data) => heard.push(data));
    const typing = { chatId: "c1", userId: "bob" };
    scripted.socket.deliver({ event: "chat:typing_start", data: typing }, { event: "chat:typing_stop", data: typing });
    expect(heard).toEqual([typing]);
    expect(scripted.heard).toHaveLength(2);
    scripted.events.close();
  });
});

describe("a request", () => {
  test("is answered by the acknowledgement with its id, whichever comes first", async () => {
    const scripted = await chat().open();
    const [first, second] = [
      scripted.events.send("user:get_status", status),
      scripted.events.send("user:get_status", status),
    ];
    const online = { userId: "bob", status: "online", lastSeen: null };
    scripted.acknowledge(scripted.asked[1], online);
    expect(await outcomeOf(first)).toBe("pending");
    expect(await outcomeOf(second)).toEqual({ value: online });
    scripted.acknowledge(scripted.asked[0], { ...online, status: "offline" });
    expect(await outcomeOf(first)).toEqual({ value: { ...online, status: "offline" } });
    scripted.events.close();
  });

  test("waits while 32 are on their way", async () => {
    const scripted = await chat().open();
    const requests = Array.from({ length: 40 }, (_, index) =>
      scripted.events.send("chat:message_edit", { messageId: "m1", content: String(index) }),
    );
    const contents = () => scripted.asked.map(({ data }) => Number((data as { content: string }).content));
    expect(contents()).toEqual(Array.from({ length: 32 }, (_, index) => index));
    scripted.acknowledge(scripted.asked[7]);
    scripted.acknowledge(scripted.asked[3]);
    expect(contents()).toEqual(Array.from({ length: 34 }, (_, index) => index));
    for (let index = 0; index < 40; index++) scripted.acknowledge(scripted.asked[index]);
    expect(await Promise.all(requests)).toHaveLength(40);
    scripted.events.close();
  });

  test("past the bound is not taken", async () => {
    const scripted = await chat({ queueLimit: 1 }).open();
    const first = scripted.events.send("user:get_status", status);
    await expect(scripted.events.send("user:get_status", status)).rejects.toMatchObject({ code: "queue_full" });
    await closing(scripted, first);
  });

  test("that is refused for good fails; other errors are told to who listens", async () => {
    const scripted = await chat().open();
    const request = scripted.events.send("user:get_status", status);
    const refusal = { code: "forbidden", message: "not yours to know", event: "user:get_status" };
    const others = [
      { event: "error", data: refusal },
      { event: "error", id: 7, data: refusal },
    ];
    const outcome = outcomeOf(request);
    scripted.socket.deliver(...others, { event: "error", id: scripted.asked[0]?.id, data: refusal });
    expect(await outcome).toEqual({ error: expect.objectContaining({ name: "ParleyError", code: "forbidden" }) });
    expect(scripted.heard).toEqual(others);
    scripted.events.close();
  });
});

describe("a message that may be asked for again", () => {
  const sent = async <Sent>(
    scripted: { asked: Record<string, unknown>[] } & { events: { close(): void } },
    request: Promise<Sent>,
  ) => {
    const { data, id } = scripted.asked[0] ?? {};
    await closing(scripted, request);
    return { data, id };
  };

  test.each([{}, { clientId: undefined }, { clientId: "" }])(
    "has a client id on /chat, where the app gave none: %j",
    async (given) => {
      const scripted = await chat().open();
      const message = { chatId: "c1", content: "hello", ...given };
      const { data, id } = await sent(scripted, scripted.events.send("chat:message_send", message));
      expect(data).toEqual({ chatId: "c1", content: "hello", clientId: id });
    },
  );

  test.each([{}, { client_id: undefined }, { client_id: "", _id: "" }])(
    "has a client id on /rooms, where the app gave none: %j",
    async (given) => {
      const scripted = await rooms().open();
      const message = { room_id: "r1", message: "hello", ...given };
      const { data, id } = await sent(scripted, scripted.events.send("sendMessage", message));
      expect(data).toMatchObject({ room_id: "r1", message: "hello", client_id: id });
    },
  );

  test.each([{}, { _id: undefined }])("has an id of its own where its room is to be made: %j", async (given) => {
    const scripted = await rooms().open();
    const room = { room_name: "bob", type: "peer-to-peer" as const, recipient_id: ["bob"] };
    const request = scripted.events.send("sendNewMessage", { ...room, message: { message: "hello", ...given } });
    const { data, id } = await sent(scripted, request);
    expect(data).toEqual({ ...room, message: { message: "hello", _id: id } });
  });

  test("keeps the one that the app gave it", async () => {
    const onChat = await chat().open();
    const chatMessage = { chatId: "c1", content: "hello", clientId: "mine" };
    const asChat = await sent(onChat, onChat.events.send("chat:message_send", chatMessage));
    expect(asChat.data).toEqual(chatMessage);
    for (const given of [{ client_id: "mine" }, { _id: "mine" }]) {
      const onRooms = await rooms().open();
      const message = { room_id: "r1", message: "hello", ...given };
      const asRooms = await sent(onRooms, onRooms.events.send("sendMessage", message));
      expect(asRooms.data).toEqual(message);
    }
  });
});

describe("after the line broke", () => {
  test("what is not acknowledged is asked again: the same, in order", async () => {
    const scripted = await chat().open();
    const requests = [
      scripted.events.send("chat:message_send", { chatId: "c1", content: "a" }),
      scripted.events.send("chat:message_pin", { messageId: "m1", pinned: true }),
      scripted.events.send("chat:message_send", { chatId: "c1", content: "b" }),
    ];
    const { asked } = scripted;
    scripted.acknowledge(asked[1]);
    await scripted.breakLine();
    await scripted.open();
    expect(scripted.asked).toEqual([asked[0], asked[2]]);
    await requests[1];
    await closing(scripted, ...requests.filter((_, index) => index !== 1));
  });

  test("what is not to be done twice is given up as interrupted, and not asked again", async () => {
    const scripted = await rooms().open();
    const requests = [
      scripted.events.send("createGroup", { room_name: "group", recipients: ["bob"] }),
      scripted.events.send("removeMember", { room_id: "r1", user_id: "bob" }),
      scripted.events.send("leaveGroup", { room_id: "r1" }),
    ];
    const outcomes = requests.map(outcomeOf);
    await scripted.breakLine();
    expect(await Promise.all(outcomes)).toEqual([interrupted, interrupted, interrupted]);
    await scripted.open();
    expect(scripted.asked).toEqual([]);
    scripted.events.close();
  });

  test("it is asked once when it had not gone out yet", async () => {
    const scripted = rooms();
    const request = scripted.events.send("createGroup", { room_name: "group", recipients: ["bob"] });
    await settled();
    scripted.socket.open();
    await scripted.breakLine();
    await scripted.open();
    expect(scripted.asked).toMatchObject([{ event: "createGroup" }]);
    await closing(scripted, request);
  });

  test("what is about the moment is given up, even if it had not gone out, and not kept while there is no line", async () => {
    const scripted = await chat().open();
    const typing = () => scripted.events.send("chat:typing_start", { chatId: "c1" });
    const outcome = outcomeOf(typing());
    const others = Array.from({ length: 31 }, () => scripted.events.send("user:get_status", status));
    const behind = outcomeOf(typing());
    scripted.socket.end();
    expect(await outcome).toEqual(interrupted);
    expect(await behind).toEqual(interrupted);
    expect(await outcomeOf(typing())).toEqual(interrupted);
    await vi.advanceTimersByTimeAsync(1_000);
    await scripted.open();
    expect(scripted.asked).toHaveLength(31);
    expect(scripted.asked.filter(({ event }) => event === "chat:typing_start")).toEqual([]);
    await closing(scripted, ...others);
  });
});
