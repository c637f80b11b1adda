import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ConversationEvent } from "../../server/core/events.ts";
import { circumstances, Ear, useFakeTimers, World } from "./world.ts";

const NODES = 2;
const USERS = ["alice", "carol"];
const ROOM = "room";

beforeEach(useFakeTimers);
afterEach(() => {
  vi.useRealTimers();
});

const node = fc.nat({ max: NODES - 1 });
const user = fc.constantFrom(...USERS);
const delay = fc.constantFrom(0, 0, 5, 50);
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("commit" as const), node, delay }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), node, user, delay }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("add" as const), user }) },
  // Between reading one's membership and listening, anything may happen.
  { weight: 4, arbitrary: fc.record({ do: fc.constant("listen" as const), node, user, delay }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 10, 30, 600, 6_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reset" as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("storage" as const), isAway: fc.boolean() }) },
);

test("who was removed hears nothing that was committed afterwards, and whoever is a member hears all", async () => {
  await fc.assert(
    fc.asyncProperty(circumstances(NODES), fc.array(action, { maxLength: 60 }), async (given, actions) => {
      const world = new World(given);
      const { truth } = world;
      truth.create(ROOM, ["bob", ...USERS]);
      /** By user: the number of the newest change when they were last a member; none while they are one. */
      const seqAtRemoval = new Map<string, number>();
      const ears: { readonly ear: Ear; readonly node: number; state: "asking" | "listening" | "refused" }[] = [];
      const emitLater = (at: number, wait: number, event: ConversationEvent) => {
        if (wait === 0) world.node(at).hub.emit([event]);
        else setTimeout(() => world.node(at).hub.emit([event]), wait);
      };
      const leaks: string[] = [];
      const listen = (at: number, userId: string, membership: number) => {
        const ear = new Ear(userId, membership, ({ event }) => {
          if (!("message" in event)) return;
          const allowed = seqAtRemoval.get(userId) ?? Number.POSITIVE_INFINITY;
          if (event.seq > allowed) leaks.push(`${userId}, removed at ${allowed}, heard ${event.seq}`);
        });
        const entry: (typeof ears)[number] = { ear, node: at, state: "asking" };
        ears.push(entry);
        world
          .node(at)
          .hub.listen([{ conversationId: ROOM, listener: ear }])
          .then(
            () => {
              entry.state = "listening";
            },
            () => {
              entry.state = "refused";
            },
          );
      };
      for (const [at] of world.nodes.entries()) listen(at, "bob", 1);

      for (const step of actions) {
        switch (step.do) {
          case "commit":
            emitLater(step.node, step.delay, truth.send(ROOM, "bob"));
            break;
          case "remove":
            if (!truth.isMember(ROOM, step.user)) break;
            seqAtRemoval.set(step.user, truth.seq(ROOM));
            emitLater(step.node, step.delay, truth.remove(ROOM, step.user).removed);
            break;
          case "add":
            if (truth.isMember(ROOM, step.user)) break;
            truth.add(ROOM, step.user);
            seqAtRemoval.delete(step.user);
            break;
          case "listen": {
            if (!truth.isMember(ROOM, step.user)) break;
            const membership = truth.membership(ROOM);
            if (step.delay === 0) listen(step.node, step.user, membership);
            else setTimeout(() => listen(step.node, step.user, membership), step.delay);
            break;
          }
          case "wait":
            await vi.advanceTimersByTimeAsync(step.ms);
            break;
          case "reset":
            world.node(step.node).layer.reset();
            break;
          case "storage":
            truth.isAway = step.isAway;
            break;
        }
      }
      await world.comeToRest();

      expect(leaks).toEqual([]);
      for (const { ear, state } of ears) {
        if (state === "refused") continue;
        const { seqs, userId, expulsions } = ear;
        const first = seqs[0] ?? truth.seq(ROOM) + 1;
        expect(seqs).toEqual(seqs.map((_, index) => first + index));
        expect(expulsions).toBeLessThanOrEqual(1);
        if (!truth.isMember(ROOM, userId)) expect(expulsions).toBe(1);
        else if (expulsions === 0) expect(seqs.at(-1) ?? first - 1).toBe(truth.seq(ROOM));
      }
      // Who comes with the present membership is heard out whatever was before.
      const late = USERS.filter((userId) => truth.isMember(ROOM, userId)).map(
        (userId) => new Ear(userId, truth.membership(ROOM)),
      );
      for (const ear of late) world.node(0).hub.listen([{ conversationId: ROOM, listener: ear }]);
      await vi.advanceTimersByTimeAsync(1_000);
      world.node(1).hub.emit([truth.send(ROOM, "bob")]);
      await world.comeToRest();
      for (const ear of late) expect(ear).toMatchObject({ seqs: [truth.seq(ROOM)], expulsions: 0 });

      for (const { ear, node: at } of ears) world.node(at).hub.leave(ROOM, ear);
      for (const ear of late) world.node(0).hub.leave(ROOM, ear);
      for (const { hub } of world.nodes) expect(hub.size).toBe(0);
      await world.close();
    }),
    { numRuns: 1_000 },
  );
});
