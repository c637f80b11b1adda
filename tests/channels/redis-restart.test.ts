import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPglite } from "../../db/client.ts";
import { createApp } from "../../server/app.ts";
import { connectRedisLayer } from "../../server/channel-layer/redis.ts";
import { type RedisServer, redisServerBinary, startRedisServer } from "../support/redis-server.ts";
import { Stack, testConfig } from "../support/stack.ts";
import { enterPair, openBadge, people, say } from "./sockets.ts";

const skipped = redisServerBinary() === undefined ? " (skipped: no redis-server on this machine)" : "";

describe.skipIf(skipped !== "")(`rooms that outlive their Redis${skipped}`, () => {
  let redis: RedisServer;
  let stack: Stack;

  beforeAll(async () => {
    redis = await startRedisServer();
    const database = await openPglite(null);
    const { log } = createApp(testConfig());
    stack = new Stack({
      openDatabase: async () => ({ ...database, close: async () => {} }),
      joinLayer: () => connectRedisLayer({ url: redis.url, prefix: "parley_test:", log }),
      clear: () => database.close(),
    });
    await stack.startNode();
    await stack.startNode();
  });
  afterAll(async () => {
    await stack?.stop();
    await redis?.stop();
  });

  test("[ORDER-2] what was sent while it was away comes to the other node in order, on the same sockets", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack, alice, bob);
    const { badge } = await openBadge(stack, bob, { node: 1 });
    await say(ofAlice, "before");
    expect(await ofBob.receive()).toMatchObject({ seq: 1 });
    await badge.receive();

    await redis.kill();
    const { id } = await say(ofAlice, "while it is away");
    ofAlice.send({ type: "edit_message", id, message: "changed while it is away" });
    expect(await ofAlice.receive()).toMatchObject({ type: "message_edited", seq: 3 });
    ofAlice.send({ type: "pin_message", id, pinned: true });
    expect(await ofAlice.receive()).toMatchObject({ type: "message_pinned", seq: 4 });
    await redis.restart();
    await say(ofAlice, "after");

    const heard = await ofBob.receiveMany(4);
    expect(heard.map(({ type, seq }) => [type, seq])).toEqual([
      ["chat_message", 2],
      ["message_edited", 3],
      ["message_pinned", 4],
      ["chat_message", 5],
    ]);
    // Counted anew in between, so that the first may have the second in its total already.
    const news = [
      await badge.receiveType("new_message_notification"),
      await badge.receiveType("new_message_notification"),
    ];
    expect(news[1]).toEqual({ type: "new_message_notification", unread_count: 3 });
    await say(ofBob, "an answer");
    expect(await ofAlice.receive()).toMatchObject({ message: "an answer", seq: 6 });
  });
});
