/** A fault of one listener is its own: whatever it throws at, the others hear, and whoever told goes on. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { UserEvent } from "../../server/core/events.ts";
import { UserFeeds } from "../../server/transport/user-feeds.ts";
import { Ear, useFakeTimers, World } from "./world.ts";

const ROOM = "room";
const fault = () => {
  throw new Error("a fault of ours");
};

let world: World;
beforeEach(() => {
  useFakeTimers();
  world = new World({ scripts: [[]], latencies: [] });
  world.truth.create(ROOM, ["alice", "bob"]);
});
afterEach(async () => {
  world.faults.length = 0;
  await world.close();
  vi.useRealTimers();
});

test("when they are expelled", async () => {
  const { hub } = world.node(0);
  const [first, second] = [new Ear("bob", 1), new Ear("bob", 1)];
  first.expelled = fault;
  for (const listener of [first, second]) await hub.listen([{ conversationId: ROOM, listener }]);
  expect(() => hub.emit([world.truth.remove(ROOM, "bob").removed])).not.toThrow();
  expect(second.expulsions).toBe(1);
  expect(hub.faults.count).toBe(1);
});

test("when they missed read marks", async () => {
  const { hub } = world.node(0);
  const [first, second] = [new Ear("bob", 1), new Ear("alice", 1)];
  first.missedReads = fault;
  for (const listener of [first, second]) await hub.listen([{ conversationId: ROOM, listener }]);
  world.truth.send(ROOM, "alice");
  world.truth.read(ROOM, "bob");
  await vi.advanceTimersByTimeAsync(8_000);
  expect(second.readsMissed).toBe(1);
  expect(hub.faults.count).toBe(1);
});

test("of a user: hearing, missing and comparing", async () => {
  const { hub, layer } = world.node(0);
  const broken = { hear: fault, missedEvents: fault, compare: fault };
  const whole = { hear: vi.fn(), missedEvents: vi.fn(), compare: vi.fn() };
  for (const listener of [broken, whole]) await hub.listenToUser("alice", listener);
  const event: UserEvent = { type: "conversation_left", userId: "alice", conversationId: "x", membership: 1 };
  expect(() => hub.emitToUsers([event])).not.toThrow();
  layer.reset();
  await vi.advanceTimersByTimeAsync(31_000);
  expect(whole.hear).toHaveBeenCalledTimes(1);
  expect(whole.missedEvents).toHaveBeenCalledTimes(1);
  expect(whole.compare).toHaveBeenCalledTimes(1);
  expect(hub.faults.count).toBe(3);
});

test("of a user's feed: hearing, notices, and conversations that come and go", async () => {
  const { hub } = world.node(0);
  const feeds = new UserFeeds({ hub, store: world.truth, log: world.log });
  const broken = { hear: fault, notice: fault, joined: fault, left: fault };
  const whole = { hear: vi.fn(), notice: vi.fn(), joined: vi.fn(), left: vi.fn() };
  await feeds.listen("alice", broken);
  const feed = await feeds.listen("alice", whole);
  hub.emit([world.truth.send(ROOM, "bob")]);
  expect(whole.hear).toHaveBeenCalledTimes(1);
  expect(whole.notice).toHaveBeenCalledTimes(1);
  expect(feed.ledger.total).toBe(1);
  world.truth.create("later", ["alice", "bob"]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(whole.joined).toHaveBeenCalledTimes(1);
  hub.emit([world.truth.remove(ROOM, "alice").removed]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(whole.left).toHaveBeenCalledWith(ROOM);
  feeds.leave("alice", broken);
  feeds.leave("alice", whole);
});
