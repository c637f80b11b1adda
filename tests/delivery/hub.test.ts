import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LayerUnavailable } from "../../server/channel-layer/layer.ts";
import { StorageUnavailable } from "../../server/core/errors.ts";
import type { Change } from "../../server/core/events.ts";
import { UserFeeds } from "../../server/transport/user-feeds.ts";
import { Ear, useFakeTimers, World } from "./world.ts";

const ROOM = "room";

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

async function listen(ear = new Ear("alice", 1), at = 0): Promise<Ear> {
  await world.node(at).hub.listen([{ conversationId: ROOM, listener: ear }]);
  return ear;
}

function send(count: number): Change[] {
  return Array.from({ length: count }, () => world.truth.send(ROOM, "bob"));
}

function asked(question: string): number[] {
  return world.truth.asked.filter((one) => one.question === question).map(({ size }) => size);
}

describe("a gap", () => {
  test("has 25 ms to close by itself", async () => {
    const ear = await listen();
    const [first, second, third] = send(3);
    if (first === undefined || second === undefined || third === undefined) throw new Error("three were sent");
    world.node(0).hub.emit([third]);
    await vi.advanceTimersByTimeAsync(24);
    world.node(0).hub.emit([second]);
    expect(ear.seqs).toEqual([]);
    world.node(0).hub.emit([first]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ear.seqs).toEqual([1, 2, 3]);
    expect(asked("changes")).toEqual([]);
  });

  test("is fetched after that, with one query at a time however much comes meanwhile", async () => {
    world = new World({ scripts: [[]], latencies: [0, 400] });
    world.truth.create(ROOM, ["alice", "bob"]);
    const ear = await listen();
    world.node(0).hub.emit(send(2).slice(1));
    await vi.advanceTimersByTimeAsync(24);
    expect(asked("changes")).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked("changes")).toEqual([2]);
    for (let moment = 0; moment < 10; moment += 1) {
      world.node(0).hub.emit(send(2).slice(1));
      await vi.advanceTimersByTimeAsync(30);
    }
    expect(asked("changes")).toEqual([2]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ear.seqs).toEqual(Array.from({ length: 22 }, (_, index) => index + 1));
    expect(asked("changes")).toEqual([2, 20]);
  });

  test("of 1,200 is fetched in three", async () => {
    const ear = await listen();
    world.node(0).hub.emit(send(1_200).slice(-1));
    await vi.advanceTimersByTimeAsync(100);
    expect(ear.seqs).toEqual(Array.from({ length: 1_200 }, (_, index) => index + 1));
    expect(asked("changes")).toEqual([500, 500, 200]);
  });

  test("is nobody's any more when the last listener has left", async () => {
    world = new World({ scripts: [[]], latencies: [0, 400] });
    world.truth.create(ROOM, ["alice", "bob"]);
    const ear = await listen();
    world.node(0).hub.emit(send(3).slice(1));
    await vi.advanceTimersByTimeAsync(30);
    world.node(0).hub.leave(ROOM, ear);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(asked("changes")).toEqual([3]);
    expect(ear.seqs).toEqual([]);
  });
});

describe("listening", () => {
  test.for(["layer", "storage"] as const)("that the %s rejects leaves nothing behind", async (culprit) => {
    const { hub, layer } = world.node(0);
    if (culprit === "layer") layer.isAway = true;
    else world.truth.isAway = true;
    const both = [listen(), listen(new Ear("bob", 1))];
    for (const outcome of await Promise.allSettled(both)) {
      expect(outcome).toMatchObject({
        status: "rejected",
        reason: expect.any(culprit === "layer" ? LayerUnavailable : StorageUnavailable),
      });
    }
    expect(hub.size).toBe(0);
    expect(layer.calls).toMatchObject({ subscribe: ["c:room"], unsubscribe: ["c:room"] });
    layer.isAway = false;
    world.truth.isAway = false;
    const ear = await listen();
    hub.emit(send(1));
    expect(ear.seqs).toEqual([1]);
  });

  test("subscribes with the first and unsubscribes with the last", async () => {
    const { hub, layer } = world.node(0);
    const ears: Ear[] = [];
    for (let count = 0; count < 50; count += 1) ears.push(await listen());
    expect(layer.calls).toMatchObject({ subscribe: ["c:room"], unsubscribe: [] });
    expect(asked("positions")).toEqual([1]);
    for (const ear of ears.slice(1)) hub.leave(ROOM, ear);
    expect(layer.calls.unsubscribe).toEqual([]);
    for (const ear of ears) hub.leave(ROOM, ear);
    expect(layer.calls.unsubscribe).toEqual(["c:room"]);
    expect(hub.size).toBe(0);
  });

  test("is not disturbed by a listener that fails", async () => {
    const before = await listen();
    await listen(
      new Ear("alice", 1, () => {
        throw new Error("a fault of ours");
      }),
    );
    const after = await listen();
    world.node(0).hub.emit(send(2));
    expect([before.seqs, after.seqs]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    // One line for the kind, with the first of them.
    expect(world.faults).toHaveLength(1);
    expect(world.node(0).hub.faults.count).toBe(2);
    world.faults.length = 0;
  });

  test("many conversations are left in one command", async () => {
    const { hub, layer } = world.node(0);
    const rooms = Array.from({ length: 300 }, (_, index) => `room-${index}`);
    for (const room of rooms) world.truth.create(room, ["alice"]);
    const ears = rooms.map((conversationId) => ({ conversationId, listener: new Ear("alice", 1) }));
    await hub.listen(ears);
    const unsubscribe = vi.spyOn(layer, "unsubscribe");
    hub.leaveAll(ears);
    expect(unsubscribe).toHaveBeenCalledTimes(1);
    expect(hub.size).toBe(0);
  });
});

test("a batch is published once for each conversation", async () => {
  world.truth.create("other", ["alice", "bob"]);
  const ear = await listen(new Ear("alice", 1), 1);
  const batch = [...send(20), world.truth.send("other", "bob"), ...send(20)];
  world.node(0).hub.emit(batch);
  expect(world.node(0).layer.calls.publish).toBe(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(ear.seqs).toHaveLength(40);
});

describe("who was removed", () => {
  test("while they were connecting is expelled, although nothing follows", async () => {
    await listen(new Ear("bob", 1));
    const membership = world.truth.membership(ROOM);
    world.node(0).hub.emit([world.truth.remove(ROOM, "alice").removed]);
    const late = await listen(new Ear("alice", membership));
    await vi.advanceTimersByTimeAsync(1);
    expect(late.expulsions).toBe(1);
  });

  test("hears nothing while storage cannot say who is still in", async () => {
    const bob = await listen(new Ear("bob", 1));
    const { removed } = world.truth.remove(ROOM, "alice");
    world.node(0).hub.emit([removed, ...send(1)]);
    await vi.advanceTimersByTimeAsync(1);
    expect(bob.seqs).toEqual([1]);
    world.truth.isAway = true;
    const alice = await listen(new Ear("alice", 1));
    await vi.advanceTimersByTimeAsync(1);
    world.node(0).hub.emit(send(1));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(alice.seqs).toEqual([]);
    world.truth.isAway = false;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(alice).toMatchObject({ seqs: [], expulsions: 1 });
    expect(bob.seqs).toEqual([1, 2]);
  });

  test("as the last listener takes the feed along", async () => {
    const { hub } = world.node(0);
    const alice = new Ear("alice", 1);
    alice.expelled = () => hub.leave(ROOM, alice);
    await listen(alice);
    world.truth.remove(ROOM, "alice");
    hub.emit(send(3).slice(2));
    await vi.advanceTimersByTimeAsync(4_000);
    hub.emit(send(1));
    expect(alice.seqs).toEqual([]);
    expect(hub.size).toBe(0);
    world.truth.asked.length = 0;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.truth.asked).toEqual([]);
  });
});

test("read marks that are only late are not asked for; those that are lost are", async () => {
  const ear = await listen();
  world.node(0).hub.emit(send(1));
  const late = world.truth.read(ROOM, "alice");
  if (late === null) throw new Error("there was something to read");
  world.node(0).hub.doubt([ROOM]);
  await vi.advanceTimersByTimeAsync(500);
  world.node(0).hub.emit([late]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(ear.readsMissed).toBe(0);
  world.node(0).hub.emit(send(1));
  world.truth.read(ROOM, "alice");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(ear.readsMissed).toBe(1);
});

test("a conversation that could not be announced to the other nodes is found there all the same", async () => {
  const [here, there] = [world.node(0), world.node(1)];
  const feeds = new UserFeeds({ hub: there.hub, store: world.truth, log: world.log });
  const listener = {};
  const feed = await feeds.listen("carol", listener);
  here.layer.isMute = true;
  here.hub.emitToUsers([world.truth.add(ROOM, "carol")]);
  await vi.advanceTimersByTimeAsync(3_500);
  expect([...feed.conversationIds]).toEqual([]);
  here.layer.isMute = false;
  await vi.advanceTimersByTimeAsync(1_500);
  expect([...feed.conversationIds]).toEqual([ROOM]);
  feeds.leave("carol", listener);
  expect(there.hub.size).toBe(0);
});
