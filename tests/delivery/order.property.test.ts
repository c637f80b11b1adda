import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { circumstances, Ear, useFakeTimers, World } from "./world.ts";

const NODES = 3;
const ROOMS = ["one", "two"];

beforeEach(useFakeTimers);
afterEach(() => {
  vi.useRealTimers();
});

const node = fc.nat({ max: NODES - 1 });
const room = fc.constantFrom(...ROOMS);
const action = fc.oneof(
  // A commit's event leaves its node a moment after the commit: those of two nodes cross.
  { weight: 8, arbitrary: fc.record({ do: fc.constant("commit" as const), node, room, delay: fc.nat({ max: 60 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("listen" as const), node, room }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), ear: fc.nat({ max: 20 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 10, 30, 600, 6_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reset" as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("storage" as const), isAway: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("layer" as const), node, isAway: fc.boolean() }) },
);

interface Listening {
  readonly ear: Ear;
  readonly node: number;
  readonly room: string;
  state: "asking" | "listening" | "refused" | "left";
  /** What was committed when `listen` resolved: all after it is owed. */
  seqThen: number;
}

test("every listener on every node hears every change once, in order, without a gap", async () => {
  await fc.assert(
    fc.asyncProperty(circumstances(NODES), fc.array(action, { maxLength: 60 }), async (given, actions) => {
      const world = new World(given);
      const { truth } = world;
      for (const id of ROOMS) truth.create(id, ["alice", "bob"]);
      const listenings: Listening[] = [];
      const listen = (at: number, where: string) => {
        const listening: Listening = { ear: new Ear("alice", 1), node: at, room: where, state: "asking", seqThen: 0 };
        listenings.push(listening);
        world
          .node(at)
          .hub.listen([{ conversationId: where, listener: listening.ear }])
          .then(
            () => {
              listening.seqThen = truth.seq(where);
              if (listening.state === "asking") listening.state = "listening";
            },
            () => {
              if (listening.state === "asking") listening.state = "refused";
            },
          );
      };
      for (const [at] of world.nodes.entries()) listen(at, "one");

      for (const step of actions) {
        switch (step.do) {
          case "commit": {
            const change = truth.send(step.room, "bob");
            setTimeout(() => world.node(step.node).hub.emit([change]), step.delay);
            break;
          }
          case "listen":
            listen(step.node, step.room);
            break;
          case "leave": {
            const listening = listenings[step.ear];
            if (listening === undefined) break;
            listening.state = "left";
            world.node(listening.node).hub.leave(listening.room, listening.ear);
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
          case "layer":
            world.node(step.node).layer.isAway = step.isAway;
            break;
        }
      }
      await world.comeToRest();

      for (const { ear, room: where, state, seqThen } of listenings) {
        const { seqs } = ear;
        const first = seqs[0] ?? truth.seq(where) + 1;
        expect(seqs).toEqual(seqs.map((_, index) => first + index));
        switch (state) {
          case "listening":
            expect(first).toBeLessThanOrEqual(seqThen + 1);
            expect(seqs.at(-1) ?? first - 1).toBe(truth.seq(where));
            break;
          case "refused":
          case "left":
            break;
          case "asking":
            throw new Error("listen() neither resolved nor rejected");
        }
      }
      for (const { ear, node: at, room: where } of listenings) world.node(at).hub.leave(where, ear);
      for (const { hub, layer } of world.nodes) {
        expect(hub.size).toBe(0);
        expect(layer.calls.unsubscribe.toSorted()).toEqual(layer.calls.subscribe.toSorted());
      }
      await world.close();
    }),
    { numRuns: 1_000 },
  );
});
