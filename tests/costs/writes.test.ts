/** What a batch costs the sockets, counted: frames and writes. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { openEmbedded, type Storage } from "../support/storage.ts";
import { CountedNode, type Sent } from "./counted-node.ts";
import { enterRoom, groupOf, openBadges, openChats, openRoomLists } from "./people.ts";

const MESSAGES = 8;

describe("a batch of 8 messages", () => {
  let storage: Storage;
  let node: CountedNode;
  beforeAll(async () => {
    storage = await openEmbedded();
    node = await CountedNode.start(storage.store, new MemoryBroker().join());
  });
  afterEach(() => node.disconnectAll());
  afterAll(async () => {
    await node?.close();
    await storage?.close();
  });

  test.each([10, 40])("is 8 frames in one write for each of %i sockets, of whatever path", async (count) => {
    const quarter = Math.floor(count / 4);
    const { id, members } = await groupOf(storage.store, count);
    // The senders are in the room, where they hear of all of it; on their own badges they would not.
    const sockets = [
      ...(await openBadges(node, members.slice(-quarter))),
      ...(await openChats(node, members.slice(-quarter))),
      ...(await openRoomLists(node, members.slice(-quarter))),
      ...(await enterRoom(node, id, members.slice(0, count - 3 * quarter))),
    ];
    const [one, other] = sockets.slice(-2);
    if (one === undefined || other === undefined) throw new Error("too few sockets");
    const sent = Array.from({ length: MESSAGES }, (_, index): Sent => {
      return [index % 2 === 0 ? one : other, { type: "chat_message", message: `${index}` }];
    });
    const commit = await node.together(sent);
    expect(commit).toMatchObject({ kind: "send", size: MESSAGES });
    const before = node.counters();
    commit.proceed();
    for (const socket of sockets) await socket.receiveMany(MESSAGES);
    const after = node.counters();
    expect(sockets).toHaveLength(count);
    expect(after.framesSent - before.framesSent).toBe(MESSAGES * count);
    expect(after.socketWrites - before.socketWrites).toBe(count);
  });
});
