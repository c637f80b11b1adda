import { Outage } from "../core/outage.ts";
import type { LayerLog, RedisConnection } from "./redis-connection.ts";
import type { RedisHealth } from "./redis-health.ts";

/** Characters on their way to a Redis that does not take them; what comes beyond counts as not handed over. */
const MAX_IN_FLIGHT = 32 * 1024 * 1024;

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
  readonly #health: RedisHealth;
  readonly #outage: Outage;
  readonly #failedHandlers: ((group: string) => void)[] = [];
  #batch: Publication[] = [];
  #inFlight = 0;

  constructor(options: { connection: RedisConnection; channelPrefix: string; health: RedisHealth; log: LayerLog }) {
    this.#connection = options.connection;
    this.#channelPrefix = options.channelPrefix;
    this.#health = options.health;
    const { log } = options;
    this.#outage = new Outage({ log, begins: "could not publish", ends: "what is published goes out again" });
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
    const failed = new Set<string>();
    const sent: { group: string; message: string }[] = [];
    let reason: unknown;
    let size = 0;
    for (const { group, message } of batch) {
      try {
        const text = message();
        if (this.#inFlight + size + text.length > MAX_IN_FLIGHT) throw new Error("too much is on its way already");
        size += text.length;
        sent.push({ group, message: text });
      } catch (error) {
        failed.add(group);
        reason = error;
      }
    }
    this.#inFlight += size;
    const pipeline = this.#connection.client.pipeline();
    for (const { group, message } of sent) pipeline.publish(this.#channelPrefix + group, message);
    const replies = (await pipeline.exec()) ?? [];
    this.#inFlight -= size;
    for (const [index, { group }] of sent.entries()) {
      const error = replies[index]?.[0];
      if (error === null) continue;
      failed.add(group);
      reason = error;
    }
    if (failed.size === 0) {
      this.#outage.works();
      return;
    }
    this.#health.failed(reason, "publish");
    this.#outage.fails({ err: reason, groups: failed.size });
    for (const group of failed) for (const handler of this.#failedHandlers) handler(group);
  }
}
