import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Delivery } from "../../server/transport/delivery.ts";
import { conversationGroup } from "../../server/transport/groups.ts";
import { ListenerFaults } from "../../server/transport/listener-faults.ts";
import { type Entrance, type OnlineList, RoomPresences } from "../../server/transport/presence.ts";
import { usernameOf } from "../../server/transport/room-member.ts";
import { RoomSizes } from "../../server/transport/room-sizes.ts";
import { ForgetfulStore } from "./forgetful-store.ts";
import { type Circumstances, circumstances, SWEEP_SECONDS, useFakeTimers, World } from "./world.ts";

const NODES = 3;
const USERS = ["alice", "bob", "carol"];
const ROOM = "room";
/** Is here throughout, on the last node, and on others too at times: nobody may ever hear of their leaving. */
const RESIDENT = "dave";

/** Ms. */
const SEARCH_TIME = 40_000;

beforeEach(useFakeTimers);
afterEach(() => {
  vi.useRealTimers();
});

const node = fc.nat({ max: NODES - 1 });
const user = fc.constantFrom(...USERS, RESIDENT);
const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("enter" as const), node, user }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("leave" as const), socket: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 1_000, 11_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reset" as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("layer" as const), node, isAway: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("empty" as const) }) },
);

type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

/** How what was lost comes to light: the layer says so, there is a change after it, or nothing follows. */
const ending = fc.constantFrom("reset" as const, "arrival" as const, "silence" as const);
type Ending = typeof ending extends fc.Arbitrary<infer Value> ? Value : never;

/** For each node, the ms that it takes to say its words again when the store was emptied: less than a lease. */
const lateness = fc.array(fc.constantFrom(0, 50, 1_500, 8_900), { minLength: NODES, maxLength: NODES });

const LOST: Circumstances = { scripts: [[], ["lost"], []], latencies: [] };
const PLAIN: Circumstances = { scripts: [[], [], []], latencies: [] };
const examples: [Circumstances, Action[], number[], Ending][] = [
  // A join and a leave that one node never hears of, and nothing after them.
  [
    LOST,
    [
      { do: "enter", node: 1, user: "alice" },
      { do: "wait", ms: 1 },
      { do: "enter", node: 0, user: "bob" },
    ],
    [0, 0, 0],
    "silence",
  ],
  [
    LOST,
    [
      { do: "enter", node: 0, user: "bob" },
      { do: "wait", ms: 1 },
      { do: "enter", node: 1, user: "alice" },
      { do: "wait", ms: 11_000 },
      { do: "leave", socket: 1 },
    ],
    [0, 0, 0],
    "silence",
  ],
  // The resident's node says its words last.
  [
    PLAIN,
    [{ do: "enter", node: 0, user: "alice" }, { do: "wait", ms: 1 }, { do: "empty" }, { do: "wait", ms: 11_000 }],
    [0, 50, 8_900],
    "silence",
  ],
  // Meanwhile another socket of theirs closes, the only one that the store knows of.
  [
    PLAIN,
    [
      { do: "enter", node: 0, user: "alice" },
      { do: "enter", node: 1, user: RESIDENT },
      { do: "wait", ms: 1 },
      { do: "empty" },
      { do: "wait", ms: 1_000 },
      { do: "leave", socket: 2 },
    ],
    [0, 50, 8_900],
    "silence",
  ],
  // Who leaves meanwhile has gone in the end.
  [
    PLAIN,
    [
      { do: "enter", node: 0, user: "alice" },
      { do: "enter", node: 1, user: "bob" },
      { do: "wait", ms: 1 },
      { do: "empty" },
      { do: "wait", ms: 1_000 },
      { do: "leave", socket: 2 },
    ],
    [0, 50, 8_900],
    "silence",
  ],
];

/** A socket that enters, as the chat consumer does it: list first, then what was heard meanwhile. */
interface Socket {
  readonly node: number;
  readonly entrance: Entrance;
  readonly heard: { readonly username: string; readonly present: boolean }[];
  state: "entering" | "here" | "refused" | "gone";
  list: OnlineList | null;
}

test(
  "list, joins and leaves add up to who is here, for each socket on each node",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        circumstances(NODES),
        fc.array(action, { maxLength: 60 }),
        lateness,
        ending,
        async (given, actions, late, end) => {
          const world = new World(given);
          world.truth.create(ROOM, USERS);
          const store = new ForgetfulStore();
          const layers = world.nodes.map(({ layer }, at) => store.node(layer, late[at] ?? 0));
          const presences = layers.map(
            (layer) =>
              new RoomPresences({
                sizes: new RoomSizes(),
                faults: new ListenerFaults(world.log),
                layer,
                log: world.log,
                largeRoomMembers: 100,
                sweepSeconds: SWEEP_SECONDS,
              }),
          );
          const on = (at: number): RoomPresences => {
            const found = presences[at];
            if (found === undefined) throw new Error("presences on each node");
            return found;
          };
          // The socket of each node that listens to the conversation throughout; it enters no room.
          for (const { layer } of world.nodes) await layer.subscribe([conversationGroup(ROOM)]);
          const sockets: Socket[] = [];
          let leavesOfResident = 0;
          const enter = (at: number, username: string) => {
            const heard: Socket["heard"] = [];
            const listener = {
              hear: ({ event }: Delivery) => {
                if (event.type !== "presence_changed") return;
                heard.push({ username: event.username, present: event.present });
                if (event.username === RESIDENT && !event.present) leavesOfResident += 1;
              },
            };
            const entrance = { conversationId: ROOM, user: { id: username, username }, listener };
            const socket: Socket = { node: at, entrance, heard, state: "entering", list: null };
            sockets.push(socket);
            on(at)
              .enter(entrance)
              .then(
                (list) => {
                  socket.list = list;
                  if (socket.state === "entering") socket.state = "here";
                  else on(at).leave(entrance);
                },
                () => {
                  socket.state = "refused";
                },
              );
          };
          const leave = (socket: Socket) => {
            // One that is still entering leaves as soon as it has entered.
            if (socket.state === "here") on(socket.node).leave(socket.entrance);
            if (socket.state !== "refused") socket.state = "gone";
          };

          enter(NODES - 1, RESIDENT);
          await vi.advanceTimersByTimeAsync(1);
          for (const step of actions) {
            switch (step.do) {
              case "enter":
                enter(step.node, step.user);
                break;
              case "leave": {
                const socket = sockets[step.socket];
                if (socket !== undefined && step.socket !== 0) leave(socket);
                break;
              }
              case "empty": {
                const [version] = await world.node(0).layer.roster.versions([conversationGroup(ROOM)]);
                store.empty(version ?? 0);
                break;
              }
              case "wait":
                await vi.advanceTimersByTimeAsync(step.ms);
                break;
              case "reset":
                world.node(step.node).layer.reset();
                break;
              case "layer":
                world.node(step.node).layer.isAway = step.isAway;
                break;
            }
          }
          await world.comeToRest();
          for (const { layer } of world.nodes) {
            layer.heal();
            if (end === "reset") layer.reset();
          }
          if (end === "arrival") enter(0, "witness");
          await world.comeToRest();
          expect(leavesOfResident).toBe(0);
          expect(sockets.filter(({ state }) => state === "entering")).toEqual([]);

          const here = sockets.filter(({ state }) => state === "here");
          const truth = [...new Set(here.map(({ entrance }) => entrance.user.username))].toSorted();
          for (const layer of layers) {
            expect((await layer.roster.list(conversationGroup(ROOM), 100)).members.map(usernameOf).toSorted()).toEqual(
              truth,
            );
          }
          for (const { list, heard } of here) {
            const online = new Set(list?.users);
            for (const { username, present } of heard) {
              if (present) online.add(username);
              else online.delete(username);
            }
            expect([...online].toSorted()).toEqual(truth);
          }
          for (const socket of here) leave(socket);
          for (const [at] of world.nodes.entries()) expect(on(at).size).toBe(0);
          for (const presence of presences) presence.close();
          await vi.advanceTimersByTimeAsync(11_000);
          await world.close();
        },
      ),
      // A failure is told with the smallest case that was found in this time, in ms.
      { numRuns: 1_000, examples, interruptAfterTimeLimit: SEARCH_TIME },
    );
  },
  2 * SEARCH_TIME,
);
