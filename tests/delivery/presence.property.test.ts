import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Delivery } from "../../server/transport/delivery.ts";
import { conversationGroup } from "../../server/transport/groups.ts";
import { type Entrance, type OnlineList, RoomPresences } from "../../server/transport/presence.ts";
import { circumstances, useFakeTimers, World } from "./world.ts";

const NODES = 3;
const USERS = ["alice", "bob", "carol"];
const ROOM = "room";

beforeEach(useFakeTimers);
afterEach(() => {
  vi.useRealTimers();
});

const node = fc.nat({ max: NODES - 1 });
const user = fc.constantFrom(...USERS);
const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("enter" as const), node, user }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("leave" as const), socket: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 1_000, 11_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reset" as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("layer" as const), node, isAway: fc.boolean() }) },
);

/** How what was lost comes to light: the layer says so, or there is a change after it. */
const ending = fc.constantFrom("reset" as const, "arrival" as const);

/** A socket that enters, as the chat consumer does it: list first, then what was heard meanwhile. */
interface Socket {
  readonly node: number;
  readonly entrance: Entrance;
  readonly heard: { readonly username: string; readonly present: boolean }[];
  state: "entering" | "here" | "refused" | "gone";
  list: OnlineList | null;
}

test("list, joins and leaves add up to who is here, for each socket on each node", async () => {
  await fc.assert(
    fc.asyncProperty(circumstances(NODES), fc.array(action, { maxLength: 60 }), ending, async (given, actions, end) => {
      const world = new World(given);
      world.truth.create(ROOM, USERS);
      const presences = world.nodes.map(
        ({ layer }) => new RoomPresences({ layer, log: world.log, largeRoomMembers: 100 }),
      );
      const on = (at: number): RoomPresences => {
        const found = presences[at];
        if (found === undefined) throw new Error("presences on each node");
        return found;
      };
      // The socket of each node that listens to the conversation throughout; it enters no room.
      for (const { layer } of world.nodes) await layer.subscribe([conversationGroup(ROOM)]);
      const sockets: Socket[] = [];
      const enter = (at: number, username: string) => {
        const heard: Socket["heard"] = [];
        const listener = {
          hear: ({ event }: Delivery) => {
            if (event.type === "presence_changed") heard.push({ username: event.username, present: event.present });
          },
        };
        const entrance = { conversationId: ROOM, username, isLarge: false, listener };
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

      for (const step of actions) {
        switch (step.do) {
          case "enter":
            enter(step.node, step.user);
            break;
          case "leave": {
            const socket = sockets[step.socket];
            if (socket !== undefined) leave(socket);
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

      const here = sockets.filter(({ state }) => state === "here");
      const truth = [...new Set(here.map(({ entrance }) => entrance.username))].toSorted();
      for (const { layer } of world.nodes) {
        expect([...(await layer.roster.list(conversationGroup(ROOM), 100)).members].toSorted()).toEqual(truth);
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
      await vi.advanceTimersByTimeAsync(11_000);
      await world.close();
    }),
    { numRuns: 1_000 },
  );
});
