/** What a message costs the nodes that nobody hears it on, counted: payloads that arrive there. */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { ChannelLayer } from "../../server/channel-layer/layer.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { connectRedisLayer } from "../../server/channel-layer/redis.ts";
import { conversationGroup, PROFILES_GROUP, userGroup } from "../../server/transport/groups.ts";
import type { Communicator } from "../support/communicator.ts";
import { redisUrl, servicesMissing } from "../support/services.ts";
import { openEmbedded, type Storage } from "../support/storage.ts";
import { CountedNode } from "./counted-node.ts";
import { enterRoom, groupOf, openBadges } from "./people.ts";

const broker = new MemoryBroker();
const prefix = `parley_test_${randomUUID()}:`;
const log = { info: () => {}, warn: () => {} };

describeOn("memory", "", async () => broker.join());
describeOn("Redis", redisUrl === undefined ? servicesMissing : "", () =>
  connectRedisLayer({ url: redisUrl ?? "", prefix, log }),
);

function describeOn(name: string, missing: string, join: () => Promise<ChannelLayer>): void {
  describe.skipIf(missing !== "")(`a room with nobody on another node (${name}${missing && `: ${missing}`})`, () => {
    let storage: Storage;
    let here: CountedNode;
    let elsewhere: CountedNode;
    beforeAll(async () => {
      storage = await openEmbedded();
      here = await CountedNode.start(storage.store, await join());
      elsewhere = await CountedNode.start(storage.store, await join());
    });
    afterEach(() => Promise.all([here.disconnectAll(), elsewhere.disconnectAll()]));
    afterAll(async () => {
      await here?.close();
      await elsewhere?.close();
      await storage?.close();
    });

    test("costs that node nothing, before somebody of its 100 members came there and after they left", async () => {
      const room = await groupOf(storage.store, 100);
      const pair = await groupOf(storage.store, 2);
      const [visitor, ...others] = room.members;
      const [one, other] = pair.members;
      if (visitor === undefined || one === undefined || other === undefined) throw new Error("too few members");
      await openBadges(here, others);
      const [ofRoom] = await enterRoom(here, room.id, others.slice(0, 1));
      const [ofPair] = await enterRoom(here, pair.id, [one]);
      const [badgeElsewhere] = await openBadges(elsewhere, [other]);

      /** The groups of which payloads came, by the time that a later message to the pair is there. */
      const arrivedOf = async (messages: number, visit: Communicator | null) => {
        elsewhere.reset();
        for (let sent = 0; sent < messages; sent += 1) await say(ofRoom);
        await say(ofPair);
        await badgeElsewhere?.receive();
        if (visit !== null) await visit.receiveMany(messages);
        return [...new Set(elsewhere.layer.arrived)];
      };
      const groupOfPair = conversationGroup(pair.id);
      expect(await arrivedOf(5, null)).toEqual([groupOfPair]);
      expect(elsewhere.calls).toEqual([]);

      const [visit] = await openBadges(elsewhere, [visitor]);
      if (visit === undefined) throw new Error("nobody came");
      expect(await arrivedOf(5, visit)).toEqual([conversationGroup(room.id), groupOfPair]);

      await visit.close();
      await vi.waitFor(() =>
        expect(elsewhere.layer.groups).toEqual(new Set([PROFILES_GROUP, userGroup(other.id), groupOfPair])),
      );
      expect(await arrivedOf(5, null)).toEqual([groupOfPair]);
    });
  });
}

/** A message and its echo. */
async function say(socket: Communicator | undefined): Promise<void> {
  socket?.send({ type: "chat_message", message: "hello" });
  expect((await socket?.receive())?.type).toBe("chat_message");
}
