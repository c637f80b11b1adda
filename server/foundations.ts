/** What a server stands on, storage and channel layer, of the kinds that the configuration names. */
import type { FastifyBaseLogger } from "fastify";
import { openPglite, openPostgres } from "../db/client.ts";
import { createStore } from "../db/store.ts";
import type { ChannelLayer } from "./channel-layer/layer.ts";
import { MemoryBroker } from "./channel-layer/memory.ts";
import { connectRedisLayer } from "./channel-layer/redis.ts";
import type { Config } from "./config.ts";
import type { Store } from "./core/store.ts";
import { newId } from "./new-id.ts";

/** Given to a server from outside, by tests that run several nodes in one process. */
export interface Foundations {
  readonly store: Store;
  readonly layer: ChannelLayer;
  /**
   * Whether what is listened to is compared with storage now and then: other nodes share the layer, which may lose what it
   * carries, or the answer to a commit may be lost on its way here.
   */
  readonly isSwept: boolean;
  readonly describe: { readonly storage: string; readonly layer: string };
}

/** Opens what the configuration names. */
export async function openFoundations(config: Config, log: FastifyBaseLogger): Promise<Foundations> {
  const database =
    config.database === null
      ? await openPglite(config.dataDirectory, (message) => log.warn(message))
      : await openPostgres({
          ...config.database,
          onNotice: (message) => log.debug({ notice: message }, "PostgreSQL"),
          onWarning: (message) => log.warn(message),
        });
  const store = createStore(database, newId, config.maxPageBytes);
  try {
    const layer = config.redis === null ? new MemoryBroker().join() : await connectRedisLayer({ ...config.redis, log });
    const describe = {
      storage: database.description,
      layer: config.redis === null ? "in this process (one node)" : `Redis at ${new URL(config.redis.url).host}`,
    };
    return { store, layer, isSwept: config.redis !== null || config.database !== null, describe };
  } catch (error) {
    await store.close();
    throw error;
  }
}
