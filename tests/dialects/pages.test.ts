/** What is large comes page by page, on every dialect, however little may wait for a socket. */
import { expect, test } from "vitest";
import { replay } from "../../server/consumers/event-replay.ts";
import type { Core } from "../../server/core/core.ts";
import type { Communicator, Frame } from "../support/communicator.ts";
import { describeOnBoth, type Stack } from "../support/stack.ts";
import { ask, openChat, openRooms, people } from "./sockets.ts";

const settings = { MAX_PAGE_BYTES: "20000", MAX_BUFFERED_BYTES: "1024", SEND_BURST: "10000", RESUME_LIMIT: "100" };

async function makeRoom(stack: Stack, owner: string, ...members: string[]): Promise<string> {
  const { body } = await stack.request(owner, "POST", "/api/conversations", { type: "group", name: "large", members });
  return body.id;
}

async function say(stack: Stack, sender: string, room: string, count: number, size = 8_000): Promise<void> {
  for (let sent = 1; sent <= count; sent += 1) {
    const { status } = await stack.request(sender, "POST", `/api/rooms/${room}/messages`, {
      message: `${sent} ${"x".repeat(size)}`,
    });
    expect(status).toBe(201);
  }
}

async function until(socket: Communicator, isLast: (frame: Frame) => boolean): Promise<Frame[]> {
  const frames: Frame[] = [];
  for (;;) {
    const frame = await socket.receive();
    frames.push(frame);
    if (isLast(frame)) return frames;
  }
}

describeOnBoth("what is larger than a page", { settings }, (stack) => {
  test("[PAGE-2] a replay is told to its end on every path, whatever may be buffered", async () => {
    const [alice] = people("alice");
    const room = await makeRoom(stack(), alice);
    await say(stack(), alice, room, 40);
    const numbers = Array.from({ length: 40 }, (_, index) => index + 1);

    const channels = await stack().connect(alice, `/ws/${room}/?since=0`);
    const frames = await until(channels, ({ type }) => type === "resumed");
    expect(frames.filter(({ type }) => type === "chat_message").map(({ seq }) => seq)).toEqual(numbers);
    expect(frames.at(-1)).toEqual({ type: "resumed", seq: 40 });

    const chat = await openChat(stack(), alice, { since: { [room]: 0 } });
    const events = await until(chat, ({ event }) => event === "chat:resumed");
    expect(events.slice(0, -1).map(({ data }) => data.seq)).toEqual(numbers);

    const rooms = await openRooms(stack(), alice);
    rooms.send({ event: "connectRooms", data: { since: { [room]: 0 } }, id: "in" });
    const told = await until(rooms, ({ event }) => event === "ack");
    expect(told.filter(({ event }) => event === "message").map(({ data }) => data.seq)).toEqual(numbers);
    for (const socket of [channels, chat, rooms]) expect(socket.socket.readyState).toBe(1);
  });

  test("[ROOMS-20] [PAGE-1] a list of rooms goes on in further events; one that fits is a single event", async () => {
    const [alice] = people("alice");
    const made: string[] = [];
    for (let count = 0; count < 12; count += 1) {
      const room = await makeRoom(stack(), alice);
      made.push(room);
      await say(stack(), alice, room, 1);
    }
    const rooms = await openRooms(stack(), alice);
    const { events } = await ask(rooms, "connectRooms", { since: { [made[0] ?? ""]: 0 } });
    const lists = events.filter(({ data }) => Array.isArray(data));
    expect(lists.map(({ event }) => event)).toEqual(["connectRooms", ...lists.slice(1).map(() => "more rooms")]);
    expect(lists.length).toBeGreaterThan(3);
    expect(lists.flatMap(({ data }) => data.map((room: Frame) => room._id))).toEqual(made.toReversed());
    for (const list of lists) expect(JSON.stringify(list).length).toBeLessThan(20_000 + 1_000);
    // The replay comes behind all of it.
    expect(events.slice(lists.length).map(({ event }) => event)).toEqual(["message", "resumed"]);

    const [bob] = people("bob");
    for (let count = 0; count < 12; count += 1) await makeRoom(stack(), bob);
    const small = await openRooms(stack(), bob);
    expect((await ask(small, "connectRooms", {})).events.map(({ event }) => event)).toEqual(["connectRooms"]);
  });

  test("[LIVE-9] [ROOMS-13] conversations of others in since are one error; too many are refused by their number", async () => {
    const [alice] = people("alice");
    const foreign = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`foreign-${index}`, 0]));
    const rooms = await openRooms(stack(), alice);
    const { events } = await ask(rooms, "connectRooms", { since: foreign });
    expect(events.map(({ event }) => event)).toEqual(["connectRooms", "error"]);
    expect(events[1].data.message).toMatch(/^since\.foreign-0: .*999 others$/);
    const { answer } = await ask(rooms, "connectRooms", { since: { ...foreign, more: 0 } });
    expect(answer.data).toMatchObject({ code: "invalid_frame", message: "data.since: expected at most 1000 rooms" });
  });
});

const busy = { ...settings, MAX_BUFFERED_BYTES: "65536" };

describeOnBoth("a conversation that goes on during a replay", { settings: busy }, (stack) => {
  test("[PAGE-3] [RESUME-5] what changes again during a replay is told once with each number", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const room = await makeRoom(stack(), alice, bob);
    await say(stack(), alice, room, 30);
    const { body } = await stack().request(alice, "GET", `/api/rooms/${room}/messages?limit=3&after=25`);
    const ids = body.messages.map(({ id }: Frame) => id);
    const writer = await stack().connect(alice, `/ws/${room}/`);
    const reader = await stack().connect(bob, `/ws/${room}/?since=0`);
    const beginning = await until(reader, ({ type }) => type === "chat_message");
    for (const id of ids) writer.send({ type: "edit_message", id, message: "new" });
    writer.send({ type: "delete_message", id: ids[0] });
    const frames = [...beginning, ...(await until(reader, ({ type }) => type === "message_deleted"))];
    const changes = frames.filter(({ type }) => /^(chat_message|message_|resumed)/.test(type));
    expect(changes.map(({ type, seq }) => `${type} ${seq}`)).toEqual([
      ...Array.from({ length: 30 }, (_, index) => `chat_message ${index + 1}`),
      "resumed 30",
      ...[31, 32, 33].map((seq) => `message_edited ${seq}`),
      "message_deleted 34",
    ]);
  });
});

test("[PAGE-4] [PAGE-6] who missed nothing asks storage once, however many conversations, and takes no turn", async () => {
  const asked: string[] = [];
  const told: string[] = [];
  const since = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`c${index}`, 7]));
  await replay({
    core: {
      conversations: {
        memberOf: async (_user: unknown, ids: readonly string[]) => {
          asked.push(`memberOf ${ids.length}`);
          return new Set(ids);
        },
      },
      messages: {
        since: async (id: string) => {
          asked.push(`since ${id}`);
          return { status: "complete", present: 7, changes: [] };
        },
        changed: async function* () {},
      },
    } as unknown as Core,
    hub: { position: (id) => (id === "c500" ? 8 : 7) },
    profile: { id: "a", username: "a", name: "", firstName: "", lastName: "", avatar: null },
    carrier: {
      emit: () => {},
      deliver: () => {},
      pong: () => {},
      emitError: (code) => told.push(code),
      emitInTurn: async ({ event }) => {
        told.push(event);
        return true;
      },
      takeLargeRead: async () => {
        asked.push("turn");
        return { hold: () => {}, release: () => asked.push("release") };
      },
      close: () => {},
    },
    pageBytes: 1,
    turn: null,
    since,
    isFollowed: () => true,
    encoderFor: async () => () => ({ event: "message", data: {} }),
    resumed: () => ({ event: "resumed", data: {} }),
    resumeFailed: () => ({ event: "resume_failed", data: {} }),
  });
  expect(asked).toEqual(["memberOf 1000", "turn", "since c500", "release"]);
  expect(told).toEqual(Array(1_000).fill("resumed"));
});
