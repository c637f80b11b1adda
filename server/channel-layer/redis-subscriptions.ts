import { randomUUID } from "node:crypto";
import { Outage } from "../core/outage.ts";
import type { LayerLog, RedisConnection } from "./redis-connection.ts";
import type { RedisHealth } from "./redis-health.ts";
import { decodeMessage, type RedisMessage } from "./redis-message.ts";

/** A connection that is open but dead is found within this and `ANSWER_MS`. Milliseconds. */
const PING_MS = 2_000;

/** Names in one (UN)SUBSCRIBE: Redis serves nobody else while it works one off. */
const CHANNELS_IN_ONE_COMMAND = 1_000;

/** What others say: this node's own payloads are dropped on the way. */
export type HeardMessage = Exclude<RedisMessage, { kind: "own" }>;

/** The groups that this node listens to, over all that happens to the subscriber connection. */
export class RedisSubscriptions {
  readonly #connection: RedisConnection;
  readonly #channelPrefix: string;
  readonly #health: RedisHealth;
  readonly #outage: Outage;
  /** This node's own, on which it hears itself. */
  readonly #ownGroup: string;
  readonly #groups = new Set<string>();
  readonly #pings: NodeJS.Timeout;
  readonly #wholeHandlers: (() => void)[] = [];
  /** By what was said on the own group. */
  readonly #heardHandlers = new Map<string, () => void>();
  #state: "whole" | "broken" | "restoring" = "whole";

  constructor(options: {
    connection: RedisConnection;
    /** What stands before the group in the name of its channel. */
    channelPrefix: string;
    nodeId: string;
    health: RedisHealth;
    log: LayerLog;
    /** Never throws. */
    deliver: (group: string, message: HeardMessage) => void;
  }) {
    const { connection, channelPrefix, deliver } = options;
    this.#connection = connection;
    this.#channelPrefix = channelPrefix;
    this.#health = options.health;
    this.#ownGroup = `node:${options.nodeId}`;
    this.#outage = new Outage({
      log: options.log,
      begins: "the groups that this node listens to could not be changed or heard again; trying further",
      ends: "the groups that this node listens to are whole again",
    });
    const self = Buffer.from(options.nodeId);
    const groupStart = Buffer.byteLength(channelPrefix);
    connection.client.on("messageBuffer", (channel: Buffer, bytes: Buffer) => {
      const message = decodeMessage(bytes, self);
      if (message.kind === "own") return;
      const group = channel.toString("utf8", groupStart);
      if (group === this.#ownGroup) {
        this.#heardHandlers.get(bytes.toString("latin1"))?.();
        return;
      }
      // Redis may still be working off the UNSUBSCRIBE.
      if (this.#groups.has(group)) deliver(group, message);
    });
    connection.onLost(() => {
      this.#state = "broken";
    });
    connection.onReady(() => this.#restore());
    this.#pings = setInterval(() => this.#tick(), PING_MS);
  }

  get isWhole(): boolean {
    return this.#state === "whole";
  }

  /** Rejects with `LayerUnavailable`. */
  start(): Promise<void> {
    return this.#send([this.#ownGroup]);
  }

  /** Resolves true when this node has heard what `say` published on the own channel, false after `ms`. */
  async hears(ms: number, say: (channel: string, words: string) => Promise<unknown>): Promise<boolean> {
    const words = `p${randomUUID()}`;
    let timer: NodeJS.Timeout | undefined;
    const heard = new Promise<boolean>((resolve) => {
      this.#heardHandlers.set(words, () => resolve(true));
      timer = setTimeout(() => resolve(false), ms);
    });
    try {
      await say(this.#channelPrefix + this.#ownGroup, words);
      return await heard;
    } finally {
      clearTimeout(timer);
      this.#heardHandlers.delete(words);
    }
  }

  /** Called when all groups are heard again after the connection was lost. */
  onWhole(handler: () => void): void {
    this.#wholeHandlers.push(handler);
  }

  /** Rejects with `LayerUnavailable`; what was not listened to before is then not listened to after. */
  async subscribe(groups: readonly string[]): Promise<void> {
    const added = groups.filter((group) => !this.#groups.has(group));
    for (const group of added) this.#groups.add(group);
    try {
      await this.#send(groups);
    } catch (error) {
      for (const group of added) this.#groups.delete(group);
      this.#health.failed(error, "subscribe");
      throw error;
    }
  }

  unsubscribe(groups: readonly string[]): void {
    for (const group of groups) this.#groups.delete(group);
    if (!this.#connection.isReady) return;
    for (const channels of this.#channels(groups)) {
      // When it fails the connection is lost, and with it the subscription; only what is in `#groups` is restored.
      this.#connection.ask(this.#connection.client.unsubscribe(...channels)).then(
        () => this.#outage.works(),
        (err: unknown) => {
          this.#health.failed(err, "unsubscribe");
          this.#outage.fails({ err, groups: channels.length });
        },
      );
    }
  }

  close(): void {
    clearInterval(this.#pings);
  }

  /** Everything in one go: the order among subscribes and unsubscribes of a group is that of the calls. */
  async #send(groups: readonly string[]): Promise<void> {
    const commands = this.#channels(groups).map((channels) => this.#connection.client.subscribe(...channels));
    await Promise.all(commands.map((command) => this.#connection.ask(command)));
  }

  async #restore(): Promise<void> {
    if (this.#state !== "broken") return;
    this.#state = "restoring";
    try {
      await this.#send([this.#ownGroup, ...this.#groups]);
    } catch (err) {
      this.#state = "broken";
      this.#health.failed(err, "subscribe");
      this.#outage.fails({ err, groups: this.#groups.size });
      return;
    }
    this.#state = "whole";
    this.#outage.works();
    for (const handler of this.#wholeHandlers) handler();
  }

  #tick(): void {
    if (!this.#connection.isReady) return;
    if (this.#state === "broken") {
      void this.#restore();
      return;
    }
    // Its reply, or the silence after it, is what ioredis' socket timeout watches.
    this.#connection.ask(this.#connection.client.ping()).then(
      () => this.#outage.works(),
      (err: unknown) => {
        this.#outage.fails({ err });
      },
    );
  }

  #channels(groups: readonly string[]): string[][] {
    const lists: string[][] = [];
    for (let start = 0; start < groups.length; start += CHANNELS_IN_ONE_COMMAND) {
      const list = groups.slice(start, start + CHANNELS_IN_ONE_COMMAND);
      lists.push(list.map((group) => this.#channelPrefix + group));
    }
    return lists;
  }
}
