/** What a reset of the layer asks of storage and of the roster, for thousands of conversations and users at once. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { Hub } from "../../server/transport/hub.ts";
import { ListenerFaults } from "../../server/transport/listener-faults.ts";
import { RoomPresences } from "../../server/transport/presence.ts";
import { RoomSizes } from "../../server/transport/room-sizes.ts";
import { UserFeeds } from "../../server/transport/user-feeds.ts";
import { FaultyLayer } from "../support/faulty-layer.ts";
import { Truth } from "./truth.ts";
import { Ear, useFakeTimers } from "./world.ts";

const MANY = 1_000;
const AT_ONCE = 16;
/** Ms that storage takes for an answer. */
const LATENCY = 10;
const log = { info: () => {}, warn: () => {}, error: () => {} };

beforeEach(useFakeTimers);
afterEach(() => {
  vi.useRealTimers();
});

/** `target`, and how many of its calls were on their way together at most, by name. */
function watched<Target extends object>(target: Target) {
  const most: Record<string, number> = {};
  const open: Record<string, number> = {};
  const proxy = new Proxy(target, {
    get: (_target, name: string) => {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const result = Reflect.apply(value, target, args);
        if (!(result instanceof Promise)) return result;
        open[name] = (open[name] ?? 0) + 1;
        most[name] = Math.max(most[name] ?? 0, open[name]);
        return result.finally(() => {
          open[name] = (open[name] ?? 0) - 1;
        });
      };
    },
  });
  return { proxy, most };
}

function node() {
  const truth = new Truth([LATENCY]);
  const layer = new FaultyLayer(new MemoryBroker().join());
  const { proxy: store, most } = watched(truth);
  const hub = new Hub({ layer, store, log, sweepSeconds: null });
  return { truth, layer, store, most, hub };
}

const names = (kind: string) => Array.from({ length: MANY }, (_, index) => `${kind}-${index}`);
const reset = (most: Record<string, number>) => {
  for (const name of Object.keys(most)) delete most[name];
};

test("changes and members of many conversations are fetched a few at a time, and a new listener does not wait", async () => {
  const { truth, layer, most, hub } = node();
  const rooms = names("room");
  for (const room of [...rooms, "another"]) truth.create(room, ["alice", "bob", "carol"]);
  const ears = rooms.map(() => new Ear("alice", 1));
  const listening = hub.listen(ears.map((listener, at) => ({ conversationId: rooms[at] ?? "", listener })));
  await vi.advanceTimersByTimeAsync(1_000);
  await listening;
  for (const room of rooms) {
    truth.remove(room, "bob");
    truth.send(room, "carol");
  }
  reset(most);
  layer.reset();
  await vi.advanceTimersByTimeAsync(100);
  expect(ears.filter(({ seqs }) => seqs.length === 1).length).toBeLessThan(MANY);
  const opened = hub.listen([{ conversationId: "another", listener: new Ear("alice", 1) }]);
  await vi.advanceTimersByTimeAsync(LATENCY);
  await opened;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ears.map(({ seqs }) => seqs)).toEqual(rooms.map(() => [1]));
  expect(most.changes).toBe(AT_ONCE);
  expect(most.membersAmong).toBe(AT_ONCE);
  hub.close();
});

test("what many users are in, and their counts, are read a few at a time", async () => {
  const { truth, layer, store, most, hub } = node();
  const users = names("user");
  truth.create("room", [...users, "bob"]);
  truth.create("later", ["bob"]);
  const feeds = new UserFeeds({ hub, store, log });
  const opened = Promise.all(users.map((user) => feeds.listen(user, {})));
  await vi.advanceTimersByTimeAsync(1_000);
  const open = await opened;
  truth.send("room", "bob");
  for (const user of users) truth.add("later", user);
  truth.send("later", "bob");
  reset(most);
  layer.reset();
  await vi.advanceTimersByTimeAsync(60_000);
  for (const [at, feed] of open.entries()) expect(feed.ledger.total).toBe(truth.total(users[at] ?? ""));
  expect(most).toMatchObject({ memberships: AT_ONCE, standings: expect.any(Number), standing: expect.any(Number) });
  for (const name of ["memberships", "standings", "standing", "changes"]) {
    expect(most[name] ?? 0).toBeLessThanOrEqual(AT_ONCE);
  }
  hub.close();
});

test("the rosters of many rooms are read a few at a time", async () => {
  const broker = new MemoryBroker();
  const layer = new FaultyLayer(broker.join());
  const { proxy, most } = watched(layer.roster);
  const presences = new RoomPresences({
    sizes: new RoomSizes(),
    faults: new ListenerFaults(log),
    layer: { roster: proxy, onReset: (handler) => layer.onReset(handler) },
    log,
    largeRoomMembers: 100,
    sweepSeconds: null,
  });
  for (const conversationId of names("room")) {
    await presences.enter({ conversationId, user: { id: "alice", username: "alice" }, listener: { hear: () => {} } });
  }
  layer.reset();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(most.list).toBe(AT_ONCE);
  presences.close();
});
