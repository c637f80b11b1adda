/** What a batch costs Redis, counted by Redis itself and at the socket to it. */
import { Socket } from "node:net";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { connectRedisLayer } from "../../server/channel-layer/redis.ts";
import { conversationGroup } from "../../server/transport/groups.ts";
import { type RedisServer, redisServerBinary, startRedisServer } from "../support/redis-server.ts";
import { openEmbedded, type Storage } from "../support/storage.ts";
import { CountedNode, type Sent } from "./counted-node.ts";
import { enterRoom, groupOf, openBadges } from "./people.ts";

const PREFIX = "parley-costs:";
const skipped = redisServerBinary() === undefined ? " (skipped: no redis-server on this machine)" : "";

describe.skipIf(skipped !== "")(`a batch on Redis${skipped}`, () => {
  let redisServer: RedisServer;
  let redis: Redis;
  let storage: Storage;
  let node: CountedNode;
  beforeAll(async () => {
    redisServer = await startRedisServer();
    redis = new Redis(redisServer.url);
    storage = await openEmbedded();
    const log = { info: () => {}, warn: () => {} };
    node = await CountedNode.start(
      storage.store,
      await connectRedisLayer({ url: redisServer.url, prefix: PREFIX, log }),
    );
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await node.disconnectAll();
  });
  afterAll(async () => {
    await node?.close();
    await storage?.close();
    redis?.disconnect();
    await redisServer?.stop();
  });

  /** PUBLISH commands that Redis has executed since its start, those of scripts too. */
  async function publishes(): Promise<number> {
    // What the node has written before, on the same connection, is done with this.
    await node.layer.layer.ping();
    return Number(/^cmdstat_publish:calls=(\d+)/m.exec(await redis.info("commandstats"))?.[1] ?? 0);
  }

  /** What the node published to itself, to know that it is heard, since writes are watched. */
  let probes = 0;

  /** From now on: the groups that each write to Redis publishes to. */
  function watchWrites(): string[][] {
    const writes: string[][] = [];
    const { port } = new URL(redisServer.url);
    const write = Socket.prototype.write;
    vi.spyOn(Socket.prototype, "write").mockImplementation(function (this: Socket, ...args: unknown[]) {
      if (`${this.remotePort}` === port) {
        const groups = [...`${args[0]}`.matchAll(/publish\r\n\$\d+\r\nparley-costs:group:(\S+)\r\n/g)];
        const names = groups.map(([, group]) => group ?? "");
        const others = names.filter((name) => !name.startsWith("node:"));
        probes += names.length - others.length;
        if (others.length > 0) writes.push(others);
      }
      return Reflect.apply(write, this, args);
    });
    return writes;
  }

  test("of 60 messages to 12 groups, of 2 and of 60 members, is 12 publishes in one write", async () => {
    const sent: Sent[] = [];
    const groups: string[] = [];
    for (let index = 0; index < 12; index += 1) {
      const { id, members } = await groupOf(storage.store, index === 0 ? 60 : 2);
      groups.push(id);
      await openBadges(node, members);
      const [socket] = await enterRoom(node, id, members.slice(0, 1));
      for (let message = 0; message < 5; message += 1) {
        if (socket !== undefined) sent.push([socket, { type: "chat_message", message: `${message}` }]);
      }
    }
    const commit = await node.together(sent);
    expect(commit).toMatchObject({ kind: "send", size: 60 });
    const before = await publishes();
    const writes = watchWrites();
    commit.proceed();
    for (const [socket] of sent) expect((await socket.receive()).type).toBe("chat_message");
    expect((await publishes()) - before - probes).toBe(12);
    // In the order in which the sockets were read.
    expect(writes.map((write) => write.toSorted())).toEqual([groups.map(conversationGroup).toSorted()]);
  });
});
