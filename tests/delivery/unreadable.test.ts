/** What comes over the layer and is no event, or none of this version: it ends nothing, is counted, and is made up for. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ChannelLayer } from "../../server/channel-layer/layer.ts";
import { encodeEvents, encodeUserPayload } from "../../server/transport/event-payload.ts";
import type { UserListener } from "../../server/transport/hub.ts";
import { Ear, useFakeTimers, World } from "./world.ts";

const ROOM = "room";
/** The world's nodes share a broker; the first one says what nobody should. */
let world: World;
let stranger: ChannelLayer;

beforeEach(() => {
  useFakeTimers();
  world = new World({ scripts: [[], []], latencies: [] });
  stranger = world.node(0).layer;
  world.truth.create(ROOM, ["alice", "bob"]);
});
afterEach(async () => {
  await world.close();
  vi.useRealTimers();
});

async function ear(): Promise<Ear> {
  const listener = new Ear("alice", 1);
  await world.node(1).hub.listen([{ conversationId: ROOM, listener }]);
  return listener;
}

const created = () => world.truth.send(ROOM, "bob");

const GARBAGE: Record<string, (change: ReturnType<typeof created>) => string> = {
  "no JSON": () => "1not json",
  nothing: () => "",
  "another version": (change) => `2${encodeEvents([change]).slice(1)}`,
  "no version": (change) => JSON.stringify([change]),
  "no list": () => "1{}",
  null: () => "1null",
  "a list of nothing": () => '1[null, 7, "x", []]',
  "an unknown type": (change) => `1${JSON.stringify([{ ...change, type: "message_sung" }])}`,
  "a type of Object's": () => `1[{"type":"constructor","conversationId":"room"}]`,
  "a message without a sender": (change) =>
    `1${JSON.stringify([{ ...change, message: { ...change.message, sender: null } }])}`,
  "a number that is none": (change) => `1${JSON.stringify([{ ...change, seq: "1" }])}`,
  "another conversation": (change) => encodeEvents([{ ...change, conversationId: "elsewhere" }]),
  "a huge one": () => `1${"[".repeat(17 * 1024 * 1024)}`,
};

for (const [name, garbage] of Object.entries(GARBAGE)) {
  test(`a payload on a conversation's group: ${name}`, async () => {
    const listener = await ear();
    const { hub } = world.node(1);
    const change = created();
    stranger.publish("c:room", () => garbage(change));
    await vi.advanceTimersByTimeAsync(1_100);
    expect(hub.unreadable.count).toBe(1);
    // Storage was asked what it could have been: before the sweep.
    expect(listener.seqs).toEqual([1]);
  });
}

test("what can be read of a payload is delivered, and the rest is made up for", async () => {
  const listener = await ear();
  const [first, second] = [created(), created()];
  const unknown = { ...second, type: "message_sung" };
  stranger.publish("c:room", () => `1${JSON.stringify([first, unknown])}`);
  await vi.advanceTimersByTimeAsync(0);
  expect(listener.seqs).toEqual([1]);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(listener.seqs).toEqual([1, 2]);
});

test("a thousand of them are one question to storage and one line in the log", async () => {
  await ear();
  const positions = vi.spyOn(world.truth, "positions");
  for (let count = 0; count < 1_000; count += 1) stranger.publish("c:room", () => "garbage");
  await vi.advanceTimersByTimeAsync(1_100);
  expect(world.node(1).hub.unreadable.count).toBe(1_000);
  expect(positions).toHaveBeenCalledTimes(1);
});

test("a number that nobody stored is believed for a while, and does not hold up what follows", async () => {
  const listener = await ear();
  const change = created();
  stranger.publish("c:room", () => encodeEvents([change, { ...change, seq: 9_000_000_000 }]));
  await vi.advanceTimersByTimeAsync(10_000);
  const changes = vi.spyOn(world.truth, "changes");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(changes).not.toHaveBeenCalled();
  stranger.publish("c:room", () => encodeEvents([created()]));
  await vi.advanceTimersByTimeAsync(100);
  expect(listener.seqs).toEqual([1, 2]);
});

test("a membership that nobody stored makes no circle of questions", async () => {
  const listener = await ear();
  const change = created();
  stranger.publish("c:room", () => encodeEvents([{ ...change, membership: 1_000_000 }]));
  await vi.advanceTimersByTimeAsync(2_000);
  const asked = vi.spyOn(world.truth, "membersAmong");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked.mock.calls.length).toBeLessThan(3);
  expect(listener.seqs).toEqual([1]);
});

test("a payload on a user's group that cannot be read has their list read again, once", async () => {
  const { hub } = world.node(1);
  const listener = { hear: vi.fn(), missedEvents: vi.fn(), compare: vi.fn() } satisfies UserListener;
  await hub.listenToUser("alice", listener);
  const left = { type: "conversation_left", userId: "alice", conversationId: ROOM, membership: 2 } as const;
  for (const text of ["x", "1{}", encodeUserPayload({ ...left, userId: "bob" }), `1{"type":"y","userId":"alice"}`]) {
    stranger.publish("u:alice", () => text);
  }
  await vi.advanceTimersByTimeAsync(1_100);
  expect(hub.unreadable.count).toBe(4);
  expect(listener.missedEvents).toHaveBeenCalledTimes(1);
  expect(listener.hear).not.toHaveBeenCalled();
  stranger.publish("u:alice", () => encodeUserPayload(left));
  await vi.advanceTimersByTimeAsync(0);
  expect(listener.hear).toHaveBeenCalledWith(left);
});

test("what the layer itself could not read is made up for too", async () => {
  const listener = await ear();
  created();
  world.node(1).layer.garble("c:room");
  world.node(1).layer.garble("what is this");
  await vi.advanceTimersByTimeAsync(1_100);
  expect(world.node(1).hub.unreadable.count).toBe(2);
  expect(listener.seqs).toEqual([1]);
});
