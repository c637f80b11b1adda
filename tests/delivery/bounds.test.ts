/** What is kept while something is waited for has a bound; what is beyond it is read from storage, and nothing is missing. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Coalesced } from "../../server/transport/coalesced.ts";
import { Delivery } from "../../server/transport/delivery.ts";
import { Follower } from "../../server/transport/follower.ts";
import { HeldChanges } from "../../server/transport/held-changes.ts";
import { NumberTracker } from "../../server/transport/number-tracker.ts";
import { UserFeeds } from "../../server/transport/user-feeds.ts";
import { Ear, useFakeTimers, World } from "./world.ts";

const ROOM = "room";
const MANY = 2_500;

let world: World;
beforeEach(() => {
  useFakeTimers();
  world = new World({ scripts: [[], []], latencies: [] });
  world.truth.create(ROOM, ["alice", "bob"]);
});
afterEach(async () => {
  await world.close();
  vi.useRealTimers();
});

function sendMany() {
  return Array.from({ length: MANY }, () => world.truth.send(ROOM, "bob"));
}

test("changes behind a gap: a thousand are held, and all are heard in order", async () => {
  const ear = new Ear("alice", 1);
  const { hub } = world.node(0);
  await hub.listen([{ conversationId: ROOM, listener: ear }]);
  const [, ...later] = sendMany();
  hub.emit(later);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ear.seqs).toEqual(Array.from({ length: MANY }, (_, index) => index + 1));
});

describe("held changes", () => {
  test("in number, and always the next one", () => {
    const held = new HeldChanges();
    const changes = sendMany();
    for (const change of changes) held.keep(change, change.seq === MANY);
    expect(held.size).toBe(1_001);
    expect(held.get(MANY)).toBe(changes.at(-1));
    held.dropUpTo(MANY);
    expect(held.size).toBe(0);
  });

  test("in characters of texts and attachments", () => {
    const held = new HeldChanges();
    for (const change of sendMany()) {
      const attachments = [{ url: "https://a.example", title: "x".repeat(50_000) }];
      held.keep({ ...change, message: { ...change.message, attachments } }, false);
    }
    expect(held.size).toBeLessThan(100);
    held.dropUpTo(MANY);
    for (const change of sendMany().slice(0, 10)) held.keep(change, false);
    expect(held.size).toBe(10);
  });
});

test("read marks beyond a gap are forgotten past a thousand, and count as missed", () => {
  const tracker = new NumberTracker();
  for (let number = 2; number <= MANY; number += 1) tracker.take(number);
  tracker.take(1);
  expect(tracker.isUpTo(1_001)).toBe(true);
  expect(tracker.isUpTo(1_002)).toBe(false);
});

test("a follower that is not live yet keeps a thousand deliveries, and says from where the rest is to be read", () => {
  const passed: number[] = [];
  const recount = vi.fn();
  const feed = {
    receive: ({ event }: Delivery) => "message" in event && passed.push(event.message.seq),
    recount,
    forget: () => {},
  };
  const follower = new Follower(feed, { conversationId: ROOM, from: 0, membership: 1, otherId: null }, "alice");
  const changes = sendMany();
  for (const change of changes) follower.hear(new Delivery(change));
  const read = world.truth.read(ROOM, "alice");
  if (read === null) throw new Error("there was something to read");
  follower.hear(new Delivery(read));
  expect(follower.goLive()).toBe(false);
  expect(passed).toHaveLength(1_000);
  expect(follower.position).toBe(1_000);
  expect(recount).toHaveBeenCalledWith(ROOM);
  for (const change of changes.slice(1_000)) follower.pass(new Delivery(change));
  expect(follower.goLive()).toBe(true);
  expect(passed).toEqual(changes.map(({ seq }) => seq));
});

test("what is heard of a conversation while its count is on the way: the count is exact in the end", async () => {
  const { hub } = world.node(0);
  const feeds = new UserFeeds({ hub, store: world.truth, log: world.log });
  const feed = await feeds.listen("alice", {});
  feed.recount(ROOM);
  hub.emit(sendMany());
  await vi.advanceTimersByTimeAsync(10_000);
  expect(feed.ledger.unread(ROOM)).toBe(MANY);
  feeds.leave("alice", {});
});

test("events that went unheard a hundred times are one refresh, and one more for those after it began", async () => {
  let finish = () => {};
  const runs = vi.fn(
    (begun: () => void) =>
      new Promise<void>((resolve) => {
        begun();
        finish = resolve;
      }),
  );
  const refreshes = new Coalesced(runs, () => {});
  for (let count = 0; count < 100; count += 1) refreshes.request();
  expect(runs).toHaveBeenCalledTimes(1);
  finish();
  await vi.advanceTimersByTimeAsync(0);
  expect(runs).toHaveBeenCalledTimes(2);
  finish();
  await vi.advanceTimersByTimeAsync(0);
  expect(runs).toHaveBeenCalledTimes(2);
});

test("a sweep that storage takes longer for than the time between two is not joined by another", async () => {
  const ear = new Ear("alice", 1);
  const { hub } = world.node(0);
  await hub.listen([{ conversationId: ROOM, listener: ear }]);
  let answer = () => {};
  const positions = vi.spyOn(world.truth, "positions").mockImplementation(
    () =>
      new Promise((resolve) => {
        answer = () => resolve([]);
      }),
  );
  await vi.advanceTimersByTimeAsync(30_000);
  expect(positions).toHaveBeenCalledTimes(1);
  answer();
  await vi.advanceTimersByTimeAsync(6_000);
  expect(positions).toHaveBeenCalledTimes(2);
  answer();
});

test("an outage of storage is one line for all conversations and users, and one when it is over", async () => {
  const lines: string[] = [];
  const { layer } = world.node(1);
  const log = {
    ...world.log,
    info: (_: object, line: string) => lines.push(line),
    warn: (_: object, line: string) => lines.push(line),
  };
  const { Hub } = await import("../../server/transport/hub.ts");
  const hub = new Hub({ layer, store: world.truth, log, sweepSeconds: 5 });
  const feeds = new UserFeeds({ hub, store: world.truth, log });
  const users = Array.from({ length: 30 }, (_, index) => `user-${index}`);
  for (const user of users) world.truth.create(`room of ${user}`, [user, "bob"]);
  for (const user of users) await feeds.listen(user, {});
  world.truth.isAway = true;
  layer.reset();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(lines.filter((line) => line.includes("trying further"))).toHaveLength(2);
  expect(lines).toHaveLength(2);
  world.truth.isAway = false;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(lines.some((line) => line.includes("again"))).toBe(true);
  expect(lines.length).toBeLessThanOrEqual(4);
  hub.close();
  for (const user of users) feeds.leave(user, {});
});
