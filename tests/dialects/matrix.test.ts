/** One conversation: what is done through one dialect, on one node, is seen through every other, on another. */
import { expect, test } from "vitest";
import { notificationsServerFrame } from "../../server/protocol/channels.ts";
import type { Communicator } from "../support/communicator.ts";
import { describeOnBoth, type Stack } from "../support/stack.ts";
import { type Dialect, dialects, type Observation, observeNext } from "./dialects.ts";
import { acknowledged, enterRooms, makeGroup, people, post } from "./sockets.ts";

/** What alice and bob do in turn, and what everybody sees of it; `badge`: bob's total, where it changes. */
interface Step {
  readonly by: "alice" | "bob";
  readonly act: (dialect: Dialect, roomId: string, id: string) => object;
  readonly seen: Omit<Observation, "id" | "by"> | null;
  readonly badge?: { readonly type: string; readonly unread_count: number };
}

const scenario: readonly Step[] = [
  {
    by: "alice",
    act: (dialect, roomId) => dialect.send(roomId, "hello"),
    seen: { what: "created", seq: 1, text: "hello" },
    badge: { type: "new_message_notification", unread_count: 1 },
  },
  {
    by: "alice",
    act: (dialect, roomId, id) => dialect.edit(roomId, id, "hello, all"),
    seen: { what: "edited", seq: 2, text: "hello, all" },
  },
  // The same text again: neither a number nor an event.
  { by: "alice", act: (dialect, roomId, id) => dialect.edit(roomId, id, "hello, all"), seen: null },
  { by: "bob", act: (dialect, roomId, id) => dialect.pin(roomId, id, true), seen: { what: "pinned", seq: 3 } },
  { by: "alice", act: (dialect, roomId, id) => dialect.pin(roomId, id, false), seen: { what: "unpinned", seq: 4 } },
  { by: "alice", act: (dialect, roomId, id) => dialect.pin(roomId, id, false), seen: null },
  {
    by: "bob",
    act: (dialect, roomId, id) => dialect.read(roomId, id),
    seen: { what: "read", seq: 1 },
    badge: { type: "unread_count", unread_count: 0 },
  },
  {
    by: "alice",
    act: (dialect, roomId) => dialect.send(roomId, "not for long"),
    seen: { what: "created", seq: 5, text: "not for long" },
    badge: { type: "new_message_notification", unread_count: 1 },
  },
  {
    by: "alice",
    act: (dialect, roomId, id) => dialect.delete(roomId, id),
    seen: { what: "deleted", seq: 6 },
    badge: { type: "unread_count", unread_count: 0 },
  },
  { by: "alice", act: (dialect, roomId, id) => dialect.delete(roomId, id), seen: null },
];

interface Observer {
  readonly dialect: Dialect;
  readonly socket: Communicator;
}

function observeAs(stack: Stack, userId: string, roomId: string, node: number): Promise<Observer[]> {
  return Promise.all(
    dialects.map(async (dialect) => ({ dialect, socket: await dialect.open(stack, userId, roomId, node) })),
  );
}

async function openBadge(stack: Stack, userId: string): Promise<Communicator> {
  const badge = await stack.connect(userId, "/ws/notifications/", { node: 1 });
  expect(await badge.expectFrames(notificationsServerFrame).receive()).toEqual({
    type: "unread_count",
    unread_count: 0,
  });
  return badge;
}

describeOnBoth("three dialects, one conversation", { nodes: 2 }, (stack) => {
  for (const dialect of dialects) {
    test(`[EVENT-7] what is done through ${dialect.name} is seen through all`, async () => {
      const [alice, bob, carol] = people("alice", "bob", "carol");
      const actors = { alice, bob };
      await stack().introduce(bob);
      const roomId = await makeGroup(stack(), alice, carol);
      const carols = await observeAs(stack(), carol, roomId, 1);
      // Bob joins what is there already.
      await stack().request(alice, "POST", `/api/conversations/${roomId}/members`, { members: [bob] });
      const bobs = await observeAs(stack(), bob, roomId, 1);
      const badge = await openBadge(stack(), bob);
      const acting = {
        alice: await dialect.open(stack(), alice, roomId, 0),
        bob: await dialect.open(stack(), bob, roomId, 0),
      };
      const observers = [...carols, ...bobs, ...Object.values(acting).map((socket) => ({ dialect, socket }))];
      let id = "";
      for (const { by, act, seen, badge: counted } of scenario) {
        acting[by].send(act(dialect, roomId, id));
        if (seen === null) continue;
        const [first, ...others] = await Promise.all(observers.map((o) => observeNext(o.dialect, o.socket)));
        if (seen.what === "created") id = first?.id ?? "";
        expect(first).toEqual({ ...seen, id, by: actors[by] });
        for (const other of others) expect(other).toEqual(first);
        if (counted !== undefined) expect(await badge.receive()).toEqual(counted);
      }
      expect(scenario.filter(({ seen }) => seen === null)).toHaveLength(3);
      const last = await post(stack(), alice, roomId, "the end");
      for (const { dialect: its, socket } of observers) {
        expect(await observeNext(its, socket)).toMatchObject({ what: "created", id: last.id, seq: 7 });
      }
    });
  }

  for (const leaving of ["leaves", "is removed"] as const) {
    test(`[ROOMS-12] who ${leaving} hears nothing more, through any dialect on any node, and counts nothing`, async () => {
      const [alice, bob] = people("alice", "bob");
      const roomId = await makeGroup(stack(), alice, bob);
      const badge = await openBadge(stack(), bob);
      const observers = [...(await observeAs(stack(), bob, roomId, 0)), ...(await observeAs(stack(), bob, roomId, 1))];
      const conversationBadge = await stack().connect(bob, `/ws/notifications/${roomId}/`, { node: 1 });
      const { socket: ofAlice } = await enterRooms(stack(), alice, { node: 1 });
      await post(stack(), alice, roomId, "unread");
      expect(await badge.receive()).toEqual({ type: "new_message_notification", unread_count: 1 });
      for (const { dialect, socket } of observers) await observeNext(dialect, socket);
      if (leaving === "leaves")
        await acknowledged((await enterRooms(stack(), bob)).socket, "leaveGroup", { room_id: roomId });
      else await acknowledged(ofAlice, "removeMember", { room_id: roomId, user_id: bob });
      await post(stack(), alice, roomId, "behind his back");
      // What comes next is of another conversation.
      const direct = await post(stack(), alice, bob, "between us");
      expect(await badge.receive()).toEqual({ type: "unread_count", unread_count: 0 });
      expect(await badge.receive()).toEqual({ type: "new_message_notification", unread_count: 1 });
      expect((await conversationBadge.closed).code).toBe(4403);
      for (const { dialect, socket } of observers) {
        if (dialect.name === "channels") expect((await socket.closed).code).toBe(4403);
        else expect(await observeNext(dialect, socket)).toMatchObject({ id: direct.id, seq: 1, text: "between us" });
      }
    });
  }
});
