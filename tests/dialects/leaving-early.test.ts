/** Sockets that close, members that are removed, at the worst moment: while something is awaited. */
import { expect, test } from "vitest";
import type { ConsumerServices } from "../../server/consumers/consumer.ts";
import { replay } from "../../server/consumers/event-replay.ts";
import type { EventCarrier } from "../../server/consumers/event-session.ts";
import { RoomMembers } from "../../server/consumers/room-members.ts";
import { RoomsSession } from "../../server/consumers/rooms.ts";
import type { Core } from "../../server/core/core.ts";
import { SeenMarks } from "../../server/transport/seen-marks.ts";

const profile = { id: "bob", username: "bob", name: "Bob", firstName: "", lastName: "", avatar: null };
const log = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };

function silentCarrier(said: object[] = []): EventCarrier {
  return {
    emit: (event) => said.push(event),
    emitError: (code) => said.push({ code }),
    deliver: () => {},
    pong: () => {},
    emitInTurn: async (event) => {
      said.push(event);
      return true;
    },
    takeLargeRead: async () => ({ hold: () => {}, release: () => {} }),
    close: () => {},
  };
}

test("a socket on /rooms that is gone before it was open holds no room", async () => {
  const roomMembers = new RoomMembers({ conversations: { members: async () => [] }, log, largeRoomMembers: 100 });
  const services = {
    userFeeds: { listen: async () => ({ conversationIds: ["a", "b"] }), leave: () => {} },
    roomMembers,
    limits: { maxMessageChars: 10, largeRoomMembers: 100, maxSinceConversations: 10, maxBufferedBytes: 1_000 },
    log,
  } as unknown as ConsumerServices;
  const open = () => new RoomsSession(services, { profile, params: {}, since: null }, silentCarrier());
  const early = open();
  const later = open();
  const opened = Promise.all([early.open(), later.open()]);
  early.closed();
  await opened;
  expect(roomMembers.size).toBe(2);
  later.closed();
  expect(roomMembers.size).toBe(0);
});

const encoders = {
  encoderFor: async () => () => ({ event: "message", data: {} }),
  resumed: () => ({ event: "resumed", data: {} }),
  resumeFailed: () => ({ event: "resume_failed", data: {} }),
};

/** Storage with one page for each of `pages`; null: they were removed meanwhile. */
function coreWith(members: readonly string[], pages: readonly (readonly object[] | null)[]): Core {
  return {
    messages: {
      since: async () => ({ status: "complete", present: 3, changes: [] }),
      changed: async function* () {
        yield* pages;
      },
    },
    conversations: { memberOf: async () => new Set(members) },
  } as unknown as Core;
}

// Another node's removal: committed, and not heard of here yet.
test.each([
  ["before a replay", coreWith([], [[{}]]), []],
  ["while a replay is read", coreWith(["a"], [null]), []],
  ["between two pages of it", coreWith(["a"], [[{}], null]), [{ event: "message", data: {} }]],
])("[ROOMS-12] who is removed %s is told nothing of what was read since", async (_when, core, told) => {
  const said: object[] = [];
  const toldUpTo = await replay({
    core,
    hub: { position: () => 3 },
    profile,
    carrier: silentCarrier(said),
    pageBytes: 1,
    turn: null,
    since: { a: 0 },
    isFollowed: () => true,
    ...encoders,
  });
  expect(said).toEqual([...told, { code: "forbidden" }]);
  expect(toldUpTo.size).toBe(0);
});

test("[ROOMS-12] who is removed while a replay is sent is sent no more of it", async () => {
  const said: object[] = [];
  await replay({
    core: coreWith(["a"], [[{}, {}, {}]]),
    hub: { position: () => 3 },
    profile,
    carrier: silentCarrier(said),
    pageBytes: 1,
    turn: null,
    since: { a: 0 },
    isFollowed: () => said.length < 2,
    ...encoders,
  });
  expect(said).toEqual([
    { event: "message", data: {} },
    { event: "message", data: {} },
  ]);
});

test("[LIVE-7] when users were last seen is stored at once, and together for those who leave together", async () => {
  const statements: (readonly string[])[] = [];
  const seenMarks = new SeenMarks({ markSeen: async (userIds) => void statements.push(userIds) }, log);
  for (const user of ["a", "b", "a"]) seenMarks.mark(user);
  await seenMarks.idle();
  seenMarks.mark("c");
  await seenMarks.idle();
  expect(statements).toEqual([["a", "b"], ["c"]]);
});
