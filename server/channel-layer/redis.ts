import { randomUUID } from "node:crypto";
import type { ChannelLayer, Roster } from "./layer.ts";
import { type LayerLog, type RedisAddress, RedisConnection } from "./redis-connection.ts";
import { encodePayload } from "./redis-message.ts";
import { RedisPublisher } from "./redis-publisher.ts";
import { RedisRoster } from "./redis-roster.ts";
import { type HeardMessage, RedisSubscriptions } from "./redis-subscriptions.ts";

export type RedisLayerOptions = RedisAddress & {
  /** Begins every key and channel. Channels know no database number: two deployments on one Redis differ in this. */
  readonly prefix: string;
  readonly log: LayerLog;
};

/** Rejects with `LayerUnavailable` when Redis does not answer within `ANSWER_MS`. */
export async function connectRedisLayer(options: RedisLayerOptions): Promise<RedisChannelLayer> {
  const layer = new RedisChannelLayer(options);
  try {
    await layer.start();
  } catch (error) {
    await layer.close();
    throw error;
  }
  return layer;
}

/**
 * A node among those that share a Redis. Two connections, as one that subscribes should do nothing else: what is sent on
 * the other never waits behind what is heard. Each group is one channel, `<prefix>group:<group>`.
 */
export class RedisChannelLayer implements ChannelLayer {
  readonly nodeId: string = randomUUID();
  readonly #commands: RedisConnection;
  readonly #subscriber: RedisConnection;
  readonly #publisher: RedisPublisher;
  readonly #subscriptions: RedisSubscriptions;
  readonly #roster: RedisRoster;
  readonly #messageHandlers: ((group: string, payload: string) => void)[] = [];
  readonly #unreadableHandlers: ((group: string) => void)[] = [];
  readonly #resetHandlers: (() => void)[] = [];
  #reset: "none" | "owed" = "none";
  #closing: Promise<void> | undefined;

  constructor(options: RedisLayerOptions) {
    const { prefix, log } = options;
    const { nodeId } = this;
    const channelPrefix = `${prefix}group:`;
    this.#commands = new RedisConnection("commands", options, log);
    this.#subscriber = new RedisConnection("subscriber", options, log);
    this.#publisher = new RedisPublisher({ connection: this.#commands, channelPrefix, log });
    this.#roster = new RedisRoster({ connection: this.#commands, prefix, nodeId, log });
    this.#subscriptions = new RedisSubscriptions({
      connection: this.#subscriber,
      channelPrefix,
      nodeId,
      log,
      deliver: (group, message) => this.#receive(group, message),
    });
    this.#subscriber.onLost(() => {
      this.#reset = "owed";
    });
    this.#subscriptions.onWhole(() => this.#settleReset());
    this.#roster.onReopened((before) => {
      if (before === "forgotten") this.#reset = "owed";
      this.#settleReset();
    });
  }

  async start(): Promise<void> {
    await Promise.all([this.#commands.opened(), this.#subscriber.opened()]);
    await this.#roster.start();
  }

  get roster(): Roster {
    return this.#roster;
  }

  publish(group: string, payload: () => string): void {
    this.#publisher.publish(group, () => encodePayload(this.nodeId, payload()));
  }

  subscribe(groups: readonly string[]): Promise<void> {
    return this.#subscriptions.subscribe(groups);
  }

  unsubscribe(groups: readonly string[]): void {
    this.#subscriptions.unsubscribe(groups);
  }

  onMessage(handler: (group: string, payload: string) => void): void {
    this.#messageHandlers.push(handler);
  }

  onUnreadable(handler: (group: string) => void): void {
    this.#unreadableHandlers.push(handler);
  }

  onReset(handler: () => void): void {
    this.#resetHandlers.push(handler);
  }

  onPublishFailed(handler: (group: string) => void): void {
    this.#publisher.onFailed(handler);
  }

  async ping(): Promise<void> {
    await Promise.all([
      this.#commands.ask(this.#commands.client.ping()),
      this.#subscriber.ask(this.#subscriber.client.ping()),
    ]);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#subscriptions.close();
    await Promise.all([this.#publisher.flush(), this.#roster.close()]);
    this.#commands.close();
    this.#subscriber.close();
  }

  #receive(group: string, message: HeardMessage): void {
    switch (message.kind) {
      case "payload":
        for (const handler of this.#messageHandlers) handler(group, message.payload);
        return;
      case "change": {
        const { member, present, version } = message;
        this.#roster.receive({ group, member, present, version });
        return;
      }
      case "foreign":
        for (const handler of this.#unreadableHandlers) handler(group);
        return;
    }
  }

  /**
   * Handlers look into the roster and the database: so only when everything is heard again, and when this node's own
   * words are back in a roster that had forgotten them.
   */
  #settleReset(): void {
    if (this.#reset === "none" || !this.#subscriptions.isWhole || !this.#roster.isOpen) return;
    this.#reset = "none";
    for (const handler of this.#resetHandlers) handler();
  }
}
