import { randomUUID } from "node:crypto";
import type { ChannelLayer } from "../../server/channel-layer/layer.ts";
import { connectRedisLayer } from "../../server/channel-layer/redis.ts";
import type { LayerLog } from "../../server/channel-layer/redis-connection.ts";
import type { Nodes } from "./nodes.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

export interface RedisNodes extends Nodes {
  readonly prefix: string;
  /** What lies between this node and Redis, for both of its connections. */
  network(layer: ChannelLayer): TcpProxy;
}

const silentLog: LayerLog = { info: () => {}, warn: () => {} };

/** Nodes on the Redis at `url` under a prefix of their own, each behind a network that can be taken away. */
export function redisNodes(url: string): RedisNodes {
  const prefix = `parley-test-${randomUUID()}:`;
  const networks = new Map<ChannelLayer, TcpProxy>();
  const network = (layer: ChannelLayer) => {
    const found = networks.get(layer);
    if (found === undefined) throw new Error("not a node of this test");
    return found;
  };
  return {
    prefix,
    network,
    join: async () => {
      const proxy = await startTcpProxy(new URL(url));
      const address = new URL(url);
      address.hostname = "127.0.0.1";
      address.port = `${proxy.port}`;
      try {
        const layer = await connectRedisLayer({ url: address.href, prefix, log: silentLog });
        networks.set(layer, proxy);
        return layer;
      } catch (error) {
        await proxy.close();
        throw error;
      }
    },
    kill: (layer) => network(layer).cut(),
    close: async () => {
      await Promise.all([...networks.keys()].map((layer) => layer.close()));
      await Promise.all([...networks.values()].map((proxy) => proxy.close()));
    },
  };
}
