/** Sockets that enter a room while the roster's answer to the first of them is still on its way. */
import { expect, test } from "vitest";
import type { ChannelLayer, Roster } from "../../server/channel-layer/layer.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import type { Delivery } from "../../server/transport/delivery.ts";
import { conversationGroup } from "../../server/transport/groups.ts";
import { ListenerFaults } from "../../server/transport/listener-faults.ts";
import { RoomPresences } from "../../server/transport/presence.ts";
import { RoomSizes } from "../../server/transport/room-sizes.ts";

const ROOM = "a-room";

/** A layer whose roster answers joins only after `release`. */
function slowLayer(layer: ChannelLayer): { layer: ChannelLayer; release(): void } {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const roster: Roster = {
    list: (...args) => layer.roster.list(...args),
    has: (...args) => layer.roster.has(...args),
    versions: (...args) => layer.roster.versions(...args),
    leave: (...args) => layer.roster.leave(...args),
    onChange: (handler) => layer.roster.onChange(handler),
    join: async (...args) => {
      const joined = await layer.roster.join(...args);
      await released;
      return joined;
    },
  };
  const slow = new Proxy(layer, {
    get: (target, property) => {
      if (property === "roster") return roster;
      const value = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { layer: slow, release };
}

async function openRoom() {
  const broker = new MemoryBroker();
  const elsewhere = broker.join();
  const { layer, release } = slowLayer(broker.join());
  // Who is in a room listens to it.
  await layer.subscribe([conversationGroup(ROOM)]);
  const log = {
    info: () => {},
    warn: (_fields: object, message: string) => expect.unreachable(message),
    error: (_fields: object, message: string) => expect.unreachable(message),
  };
  const presences = new RoomPresences({
    sizes: new RoomSizes(),
    faults: new ListenerFaults(log),
    layer,
    log,
    largeRoomMembers: 100,
    sweepSeconds: null,
  });
  /** Resolves with who is here, by the list and what was heard after it; rejects where the two do not add up. */
  const enter = (username: string) => {
    const heard: { username: string; present: boolean }[] = [];
    const hear = ({ event }: Delivery) => {
      if (event.type === "presence_changed") heard.push(event);
    };
    const entered = presences.enter({ conversationId: ROOM, user: { id: username, username }, listener: { hear } });
    return async () => {
      const here = new Set((await entered).users);
      for (const { username: who, present } of heard) {
        expect(here.has(who)).toBe(!present);
        if (present) here.add(who);
        else here.delete(who);
      }
      return [...here].toSorted();
    };
  };
  return { elsewhere, release, enter, group: conversationGroup(ROOM) };
}

test("[PRESENCE-2] who came and went meanwhile is in the list or heard of, not both", async () => {
  const { elsewhere, release, enter, group } = await openRoom();
  await elsewhere.roster.join(group, "dave", { announced: true, listed: 100 });
  const entered = [enter("alice"), enter("bob")];
  await elsewhere.roster.join(group, "carol", { announced: true, listed: 100 });
  elsewhere.roster.leave(group, "dave", { announced: true });
  release();
  for (const whoIsHere of entered) {
    await expect.poll(whoIsHere).toEqual(["alice", "bob", "carol"]);
  }
});

test("[PRESENCE-1] a user whose first two sockets come meanwhile is here", async () => {
  const { elsewhere, release, enter, group } = await openRoom();
  const entered = [enter("alice"), enter("bob"), enter("bob")];
  release();
  for (const whoIsHere of entered) await expect.poll(whoIsHere).toEqual(["alice", "bob"]);
  expect((await elsewhere.roster.list(group, 100)).members.toSorted()).toEqual(["alice alice", "bob bob"]);
});
