import type { LayerLog, RedisConnection } from "./redis-connection.ts";

interface Publication {
  readonly group: string;
  readonly message: () => string;
}

/**
 * Hands messages to Redis: all of one turn of the event loop in one pipeline, so in one write to the socket (ioredis alone
 * makes one for each command).
 */
export class RedisPublisher {
  readonly #connection: RedisConnection;
  readonly #channelPrefix: string;
  readonly #log: LayerLog;
  readonly #failedHandlers: ((group: string) => void)[] = [];
  #batch: Publication[] = [];

  constructor(options: { connection: RedisConnection; channelPrefix: string; log: LayerLog }) {
    this.#connection = options.connection;
    this.#channelPrefix = options.channelPrefix;
    this.#log = options.log;
  }

  /** `message` is asked for at the end of the turn: local sockets, whose turn it is then too, come first. */
  publish(group: string, message: () => string): void {
    this.#batch.push({ group, message });
    if (this.#batch.length === 1) setImmediate(() => this.flush());
  }

  /** Called once for each group of a turn of which something was not handed over, as far as Redis said. */
  onFailed(handler: (group: string) => void): void {
    this.#failedHandlers.push(handler);
  }

  /** Resolves when Redis has them, or has not and the handlers were told. */
  async flush(): Promise<void> {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    const pipeline = this.#connection.client.pipeline();
    for (const { group, message } of batch) pipeline.publish(this.#channelPrefix + group, message());
    const replies = (await pipeline.exec()) ?? [];
    const failed = new Set<string>();
    let reason: unknown;
    for (const [index, { group }] of batch.entries()) {
      const error = replies[index]?.[0];
      if (error === null) continue;
      failed.add(group);
      reason = error;
    }
    if (failed.size === 0) return;
    this.#log.warn({ err: reason, groups: failed.size }, "could not publish");
    for (const group of failed) for (const handler of this.#failedHandlers) handler(group);
  }
}
