/** Who is here, as three nodes tell it, when the Redis that they share loses what it knows. */
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ChannelLayer } from "../../server/channel-layer/layer.ts";
import type { Delivery } from "../../server/transport/delivery.ts";
import { conversationGroup } from "../../server/transport/groups.ts";
import { ListenerFaults } from "../../server/transport/listener-faults.ts";
import { RoomPresences } from "../../server/transport/presence.ts";
import { usernameOf } from "../../server/transport/room-member.ts";
import { RoomSizes } from "../../server/transport/room-sizes.ts";
import { announced } from "../channel-layer/nodes.ts";
import { type RedisNodes, redisNodes } from "../channel-layer/redis-nodes.ts";
import { SWEEP_SECONDS } from "../delivery/world.ts";
import { type RedisServer, redisServerBinary, startRedisServer } from "../support/redis-server.ts";

const ROOM = "room";
const GROUP = conversationGroup(ROOM);
/** Ms. They end what hangs: the longest wait is for a roster to be whole again. */
const HANG = 120_000;
const eventually = (expectation: () => unknown) => vi.waitFor(expectation, { timeout: 40_000, interval: 10 });
const skipped = redisServerBinary() === undefined ? " (skipped: no redis-server on this machine)" : "";
const log = { info: () => {}, warn: () => {}, error: () => {} };

interface Node {
  readonly layer: ChannelLayer;
  readonly presences: RoomPresences;
  /** How often its layer was reset. */
  readonly resets: () => number;
}

/** A user's socket: who is here as it knows, and every leave that it was told. */
interface Visitor {
  readonly here: Set<string>;
  readonly leaves: string[];
  leave(): void;
}

describe.skipIf(skipped !== "")(`a Redis that loses the rosters${skipped}`, () => {
  let server: RedisServer;
  let redis: Redis;
  let nodes: RedisNodes;
  let here: Node;
  let there: Node;
  let late: Node;

  async function startNode(): Promise<Node> {
    const layer = await nodes.join();
    await layer.subscribe([GROUP]);
    const reset = vi.fn();
    const presences = new RoomPresences({
      sizes: new RoomSizes(),
      faults: new ListenerFaults(log),
      layer,
      log,
      largeRoomMembers: 100,
      sweepSeconds: SWEEP_SECONDS,
    });
    layer.onReset(reset);
    return { layer, presences, resets: () => reset.mock.calls.length };
  }

  beforeEach(async () => {
    server = await startRedisServer();
    redis = new Redis(server.url);
    redis.on("error", () => {});
    nodes = redisNodes(server.url);
    [here, there, late] = await Promise.all([startNode(), startNode(), startNode()]);
  });
  afterEach(async () => {
    for (const { presences } of [here, there, late]) presences.close();
    await nodes.close();
    redis.disconnect();
    await server.stop();
  });

  async function enter({ presences }: Node, username: string): Promise<Visitor> {
    const told: { username: string; present: boolean }[] = [];
    const visitor = { here: new Set<string>(), leaves: [] as string[] };
    const hear = ({ event }: Delivery) => {
      if (event.type !== "presence_changed") return;
      told.push(event);
      if (event.present) visitor.here.add(event.username);
      else visitor.here.delete(event.username);
      if (!event.present) visitor.leaves.push(event.username);
    };
    const entrance = { conversationId: ROOM, user: { id: username, username }, listener: { hear } };
    const list = await presences.enter(entrance);
    visitor.here = new Set(list.users);
    for (const { username: who, present } of told) {
      if (present) visitor.here.add(who);
      else visitor.here.delete(who);
    }
    return { ...visitor, here: visitor.here, leave: () => presences.leave(entrance) };
  }

  const agree = (visitors: readonly Visitor[], names: string[]) =>
    eventually(() =>
      expect(visitors.map((visitor) => [...visitor.here].toSorted())).toEqual(visitors.map(() => names)),
    );

  /** What these nodes asked the roster for after their reset has been answered, and heeded. */
  const haveReread = async (...those: Node[]) => {
    for (const { layer } of those) await eventually(() => layer.roster.list(GROUP, 0));
  };

  const losses: { how: string; save?: () => Promise<unknown>; lose: () => Promise<unknown> }[] = [
    {
      how: "killed and restarted empty",
      lose: async () => {
        await server.kill();
        await server.restart();
      },
    },
    { how: "emptied under open connections", lose: () => redis.flushall() },
    {
      how: "restarted with what it had saved when there was one user",
      save: () => redis.save(),
      lose: async () => {
        await server.kill();
        await server.restart();
      },
    },
  ];

  for (const { how, save, lose } of losses) {
    test(
      `[PRESENCE-2] ${how}: who is on a node that comes back later has not left, who left meanwhile has`,
      async () => {
        const alice = await enter(here, "alice");
        await save?.();
        const bob = await enter(there, "bob");
        const carol = await enter(late, "carol");
        // By two nodes, and the one that says so first says goodbye while the other is away.
        await enter(late, "dave");
        const daveThere = await enter(there, "dave");
        const erin = await enter(there, "erin");
        await agree([alice, bob, carol], ["alice", "bob", "carol", "dave", "erin"]);

        const before = [here.resets(), there.resets(), late.resets()];
        nodes.network(late.layer).cut();
        await lose();
        await eventually(() =>
          expect([here.resets(), there.resets()]).toEqual([(before[0] ?? 0) + 1, (before[1] ?? 0) + 1]),
        );
        await haveReread(here, there);
        daveThere.leave();
        erin.leave();
        await eventually(async () => {
          expect((await here.layer.roster.list(GROUP, 10)).members.map(usernameOf).toSorted()).toEqual([
            "alice",
            "bob",
          ]);
        });
        const frank = await enter(here, "frank");
        nodes.network(late.layer).restore();

        await agree([alice, bob, carol, frank], ["alice", "bob", "carol", "dave", "frank"]);
        // Erin's is the last thing that anybody can be told: by then the roster is whole, and taken at its word.
        for (const visitor of [alice, bob, carol, frank]) expect(visitor.leaves).toEqual(["erin"]);
        alice.leave();
        await agree([bob, carol, frank], ["bob", "carol", "dave", "frank"]);
      },
      HANG,
    );
  }

  test(
    "versions go on above all that a node knows, though the clock of the new Redis is behind",
    async () => {
      const { layer } = here;
      await layer.roster.join(GROUP, "alice", announced);
      const future = Date.now() * 1_000 + 3_600_000_000;
      await redis.set(`${nodes.prefix}roster-version:${GROUP}`, `${future}`);
      const alice = await enter(there, "alice");
      const { version } = await there.layer.roster.list(GROUP, 0);
      expect(version).toBeGreaterThanOrEqual(future);
      await redis.flushall();
      await eventually(async () => {
        expect((await here.layer.roster.list(GROUP, 0)).version).toBeGreaterThan(version);
        expect((await there.layer.roster.list(GROUP, 0)).version).toBeGreaterThan(version);
      });
      await enter(here, "bob");
      await agree([alice], ["alice", "bob"]);
    },
    HANG,
  );

  test(
    "only a store that lost its rosters is not taken at its word",
    async () => {
      await enter(here, "alice");
      expect((await there.layer.roster.list(GROUP, 10)).wholeIn).toBe(0);
      nodes.network(late.layer).cut();
      nodes.network(late.layer).restore();
      await eventually(() => expect(late.resets()).toBe(1));
      expect((await there.layer.roster.list(GROUP, 10)).wholeIn).toBe(0);
      await redis.flushall();
      await eventually(async () => expect((await there.layer.roster.list(GROUP, 10)).wholeIn).toBeGreaterThan(0));
      // A newcomer, who remembers nothing, is told as well.
      const newcomer = await nodes.join();
      expect((await newcomer.roster.list(GROUP, 10)).wholeIn).toBeGreaterThan(0);
      await eventually(async () => expect((await there.layer.roster.list(GROUP, 10)).wholeIn).toBe(0));
    },
    HANG,
  );
});
