import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LayerUnavailable, type Roster } from "../../server/channel-layer/layer.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import type { Delivery } from "../../server/transport/delivery.ts";
import { conversationGroup } from "../../server/transport/groups.ts";
import { ListenerFaults } from "../../server/transport/listener-faults.ts";
import { type Entrance, RoomPresences } from "../../server/transport/presence.ts";
import { RoomSizes } from "../../server/transport/room-sizes.ts";
import { SWEEP_SECONDS, useFakeTimers } from "./world.ts";

const SWEEP = SWEEP_SECONDS * 1_000;
const announced = { announced: true, listed: 0 };

beforeEach(useFakeTimers);
afterEach(() => {
  vi.useRealTimers();
});

/** A node that hears of no join and no leave; `versions` and `list` are counted, and fail when the test says so. */
function deafNode() {
  const broker = new MemoryBroker();
  const [layer, elsewhere] = [broker.join(), broker.join()];
  let answer: <T>(reply: () => Promise<T>) => Promise<T> = (reply) => reply();
  const versions = vi.fn((groups: readonly string[]) => answer(() => layer.versions(groups)));
  const list = vi.fn((group: string, listed: number) => answer(() => layer.list(group, listed)));
  const roster: Roster = {
    versions,
    list,
    join: (...join) => layer.join(...join),
    leave: (...leave) => layer.leave(...leave),
    has: (...has) => layer.has(...has),
    onChange: () => {},
  };
  const warnings: string[] = [];
  const log = { info: () => {}, warn: (_fields: object, message: string) => warnings.push(message), error: () => {} };
  const node = { roster, onReset: () => {} };
  const presences = new RoomPresences({
    sizes: new RoomSizes(),
    faults: new ListenerFaults(log),
    layer: node,
    log,
    largeRoomMembers: 100,
    sweepSeconds: SWEEP_SECONDS,
  });
  const enter = async (conversationId: string) => {
    const heard: string[] = [];
    const hear = ({ event }: Delivery) => {
      if (event.type === "presence_changed") heard.push(`${event.present ? "+" : "-"}${event.username}`);
    };
    const entrance: Entrance = { conversationId, user: { id: "alice", username: "alice" }, listener: { hear } };
    await presences.enter(entrance);
    return { heard, entrance };
  };
  return {
    presences,
    elsewhere,
    versions,
    list,
    warnings,
    enter,
    answerWith: (how: typeof answer) => {
      answer = how;
    },
  };
}

test("[PRESENCE-2] a join and a leave that went unheard, with nothing after them, are told within a sweep", async () => {
  const { presences, elsewhere, enter } = deafNode();
  const { heard } = await enter("room");
  await elsewhere.join(conversationGroup("room"), "bob", announced);
  await vi.advanceTimersByTimeAsync(SWEEP);
  expect(heard).toEqual(["+alice", "+bob"]);
  elsewhere.leave(conversationGroup("room"), "bob", { announced: true });
  await vi.advanceTimersByTimeAsync(SWEEP);
  expect(heard).toEqual(["+alice", "+bob", "-bob"]);
  presences.close();
});

test("all rooms are asked for together, and only those that are behind are read again", async () => {
  const { presences, elsewhere, versions, list, enter } = deafNode();
  const rooms = Array.from({ length: 100 }, (_, index) => `room-${index}`);
  for (const room of rooms) await enter(room);
  await vi.advanceTimersByTimeAsync(SWEEP);
  expect(versions).toHaveBeenCalledTimes(1);
  // Their own arrivals, which went unheard here.
  expect(list).toHaveBeenCalledTimes(100);
  await elsewhere.join(conversationGroup("room-7"), "bob", announced);
  await vi.advanceTimersByTimeAsync(SWEEP);
  expect(versions).toHaveBeenCalledTimes(2);
  expect(versions).toHaveBeenLastCalledWith(rooms.map(conversationGroup));
  expect(list).toHaveBeenCalledTimes(101);
  await vi.advanceTimersByTimeAsync(SWEEP);
  expect(list).toHaveBeenCalledTimes(101);
  presences.close();
});

test("a node without rooms asks for nothing, nor does one that is closed", async () => {
  const { presences, versions, enter } = deafNode();
  await vi.advanceTimersByTimeAsync(3 * SWEEP);
  const { entrance } = await enter("room");
  presences.leave(entrance);
  await vi.advanceTimersByTimeAsync(3 * SWEEP);
  expect(versions).not.toHaveBeenCalled();
  await enter("room");
  presences.close();
  await vi.advanceTimersByTimeAsync(3 * SWEEP);
  expect(versions).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test("a sweep waits for the one before; failures are logged once, until there was an answer", async () => {
  const { presences, versions, warnings, enter, answerWith } = deafNode();
  await enter("room");
  await vi.advanceTimersByTimeAsync(SWEEP);
  expect(versions).toHaveBeenCalledTimes(1);
  let fail = (_error: Error) => {};
  answerWith(
    () =>
      new Promise((_resolve, reject) => {
        fail = reject;
      }),
  );
  await vi.advanceTimersByTimeAsync(3 * SWEEP);
  expect(versions).toHaveBeenCalledTimes(2);
  fail(new LayerUnavailable("away"));
  answerWith(() => Promise.reject(new LayerUnavailable("away")));
  await vi.advanceTimersByTimeAsync(3 * SWEEP);
  expect(versions).toHaveBeenCalledTimes(5);
  expect(warnings).toEqual(["who is in a room could not be read; trying further"]);
  answerWith((reply) => reply());
  await vi.advanceTimersByTimeAsync(SWEEP);
  answerWith(() => Promise.reject(new LayerUnavailable("away")));
  await vi.advanceTimersByTimeAsync(2 * SWEEP);
  expect(warnings).toHaveLength(2);
  presences.close();
});
