import { randomUUID } from "node:crypto";
import { type ChannelLayer, LayerUnavailable, type Roster } from "./layer.ts";
import { ANSWER_MS, type LayerLog, type RedisAddress, RedisConnection } from "./redis-connection.ts";
import { RedisHealth, refusalIn } from "./redis-health.ts";
import { encodePayload } from "./redis-message.ts";
import { RedisPublisher } from "./redis-publisher.ts";
import { RedisRoster } from "./redis-roster.ts";
import { type HeardMessage, RedisSubscriptions } from "./redis-subscriptions.ts";

export type RedisLayerOptions = RedisAddress & {
  /** Begins every key and channel. Channels know no database number, so that of any but 0 is in their names too. */
  readonly prefix: string;
  readonly log: LayerLog;
};

/** How often, in ms, a node makes sure that it is heard. */
const CHECK_MS = 3_000;
const NEEDED_COMMANDS = "+@connection +@pubsub +@scripting +@keyspace +@string +@hash +@sortedset +time +info";

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
 * the other never waits behind what is heard. Each group is one channel: `<prefix>group:<group>` in database 0, `<prefix>group/<number>:<group>` in another.
 */
export class RedisChannelLayer implements ChannelLayer {
  readonly nodeId: string = randomUUID();
  readonly #commands: RedisConnection;
  readonly #subscriber: RedisConnection;
  readonly #publisher: RedisPublisher;
  readonly #subscriptions: RedisSubscriptions;
  readonly #roster: RedisRoster;
  readonly #health: RedisHealth;
  readonly #prefix: string;
  readonly #log: LayerLog;
  #checks: NodeJS.Timeout | undefined;
  #checking: Promise<void> | undefined;
  readonly #messageHandlers: ((group: string, payload: string) => void)[] = [];
  readonly #unreadableHandlers: ((group: string) => void)[] = [];
  readonly #resetHandlers: (() => void)[] = [];
  #reset: "none" | "owed" = "none";
  #closing: Promise<void> | undefined;

  constructor(options: RedisLayerOptions) {
    const { prefix, log } = options;
    const { nodeId } = this;
    this.#prefix = prefix;
    this.#log = log;
    this.#commands = new RedisConnection("commands", options, log);
    this.#subscriber = new RedisConnection("subscriber", options, log);
    const { db } = this.#commands.client.options;
    const channelPrefix = db === undefined || db === 0 ? `${prefix}group:` : `${prefix}group/${db}:`;
    this.#health = new RedisHealth([this.#commands, this.#subscriber], log);
    const health = this.#health;
    this.#publisher = new RedisPublisher({ connection: this.#commands, channelPrefix, health, log });
    this.#roster = new RedisRoster({ connection: this.#commands, prefix, channelPrefix, nodeId, health, log });
    this.#subscriptions = new RedisSubscriptions({
      connection: this.#subscriber,
      channelPrefix,
      nodeId,
      health,
      log,
      deliver: (group, message) => this.#guard(() => this.#receive(group, message)),
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

  /** Everything that a socket will need is done once: a right that is missing is told now. */
  async start(): Promise<void> {
    await Promise.all([this.#commands.opened(), this.#subscriber.opened()]);
    try {
      await this.#subscriptions.start();
      await this.#hear();
      await this.#roster.start();
    } catch (error) {
      throw this.#explained(error);
    }
    this.#checks = setInterval(() => this.#check(), CHECK_MS);
  }

  #explained(error: unknown): unknown {
    if (!(error instanceof LayerUnavailable)) return error;
    const { host, port } = this.#commands.client.options;
    const needed = `~${this.#prefix}* &${this.#prefix}* ${NEEDED_COMMANDS}`;
    const isPermission = /NOPERM|ACL|permission|can't (run|publish|access)/i.test(error.message);
    const remedy = isPermission ? `. Its user needs the ACL rules ${needed}` : "";
    return new LayerUnavailable(`Redis at ${host}:${port} refuses what this node needs: ${error.message}${remedy}`);
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

  /** Resolves when a socket could be opened and heard now; those who ask meanwhile share the answer. */
  ping(): Promise<void> {
    this.#checking ??= this.#ping().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #ping(): Promise<void> {
    if (!this.#subscriptions.isWhole) throw new LayerUnavailable("the subscriptions are not whole");
    await Promise.all([this.#roster.check(), this.#hear()]);
    this.#health.serves();
  }

  /** Rejects with `LayerUnavailable` unless what this node publishes comes back to it on the other connection. */
  async #hear(): Promise<void> {
    let again: NodeJS.Timeout | undefined;
    const isHeard = await this.#subscriptions
      .hears(ANSWER_MS, (channel, words) => {
        const say = () => this.#commands.ask(this.#commands.client.publish(channel, words));
        // One of them may be lost, as anything that is published may. What refuses the first refuses the others too.
        again = setInterval(() => say().catch(() => {}), ANSWER_MS / 4);
        return say();
      })
      .finally(() => clearInterval(again));
    if (isHeard) return;
    throw new LayerUnavailable("Redis: what this node publishes does not come back to it");
  }

  /** A node on which nothing happens notices too, and one that could not be served, that it is. */
  #check(): void {
    if (!this.#commands.isReady || !this.#subscriber.isReady || !this.#roster.isOpen) return;
    const isDeaf = this.#subscriptions.isWhole;
    this.ping().catch((error: unknown) => {
      if (refusalIn(error) !== null) this.#health.failed(error, "publish");
      else if (isDeaf && this.#commands.isReady && this.#subscriber.isReady && this.#roster.isOpen) this.#health.deaf();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#checks);
    this.#health.close();
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
    for (const handler of this.#resetHandlers) this.#guard(handler);
  }

  /** A fault of ours that hears something, which must not end the connection that it came on. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (err) {
      this.#log.warn({ err }, "what came over the channel layer could not be handled");
    }
  }
}
