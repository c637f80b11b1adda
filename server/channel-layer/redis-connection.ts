import { Redis, type RedisOptions } from "ioredis";
import { LayerUnavailable } from "./layer.ts";

/** How long Redis may take to answer, in ms, before its connection counts as dead and is made anew. */
export const ANSWER_MS = 3_000;

const FIRST_RECONNECT_MS = 50;
const SLOWEST_RECONNECT_MS = 1_000;

/** What the layer has to say about its connections; a pino logger fits. */
export interface LayerLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

export type RedisAddress = { readonly url: string } | { readonly host: string; readonly port: number };

const settings = {
  connectTimeout: ANSWER_MS,
  // Silence after a command: all that is in flight is rejected and the connection made anew. Never a single command's
  // timeout: what failed has then certainly failed on this connection, and the next one settles what it did.
  socketTimeout: ANSWER_MS,
  retryStrategy: (attempt: number) => Math.min(FIRST_RECONNECT_MS * 2 ** (attempt - 1), SLOWEST_RECONNECT_MS),
  // A command is sent now or fails now. Zero retries: what is in flight fails as soon as the connection is lost; without
  // it, and with no resending, ioredis would never settle it.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  // By hand: ioredis does not say when it is done, and leaves its promise unhandled.
  autoResubscribe: false,
} satisfies RedisOptions;

/** One connection to Redis: there or away, made anew for as long as it takes. */
export class RedisConnection {
  readonly client: Redis;
  readonly #name: string;
  readonly #log: LayerLog;
  readonly #readyHandlers: (() => void)[] = [];
  readonly #lostHandlers: (() => void)[] = [];
  #state: "connecting" | "ready" | "lost" | "closed" = "connecting";
  #lastError: Error | undefined;

  constructor(name: string, address: RedisAddress, log: LayerLog) {
    this.#name = name;
    this.#log = log;
    this.client = "url" in address ? new Redis(address.url, settings) : new Redis(address.port, address.host, settings);
    // Each failed attempt is an error event, up to 20 in the first seconds: the last one is told where it matters.
    this.client.on("error", (error: Error) => {
      this.#lastError = error;
    });
    this.client.on("connect", () => {
      this.#lastError = undefined;
    });
    this.client.on("ready", () => this.#becameReady());
    this.client.on("close", () => this.#becameClosed());
  }

  /** Resolves with the first answer of Redis. Rejects with `LayerUnavailable` when there is none in `ANSWER_MS`. */
  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { host, port } = this.client.options;
      const deadline = setTimeout(() => {
        const reason = this.#lastError === undefined ? "no answer" : describe(this.#lastError);
        reject(new LayerUnavailable(`Redis at ${host}:${port} cannot be reached: ${reason}`));
      }, ANSWER_MS);
      this.client.once("ready", () => {
        clearTimeout(deadline);
        // ioredis goes on, in database 0, when the one asked for does not exist.
        if (this.#lastError === undefined) resolve();
        else reject(new LayerUnavailable(`Redis at ${host}:${port}: ${describe(this.#lastError)}`));
      });
    });
  }

  get isReady(): boolean {
    return this.client.status === "ready";
  }

  onReady(handler: () => void): void {
    this.#readyHandlers.push(handler);
  }

  /** Called once for each time that it was ready. */
  onLost(handler: () => void): void {
    this.#lostHandlers.push(handler);
  }

  /** A command's reply; any failure is `LayerUnavailable`, with the cause. */
  async ask<Reply>(command: Promise<Reply>): Promise<Reply> {
    try {
      return await command;
    } catch (cause) {
      throw new LayerUnavailable(`Redis (${this.#name}): ${describe(cause)}`, { cause });
    }
  }

  /** Ends this connection and makes a new one, to wherever the name leads now. */
  renew(): void {
    if (this.#state === "ready") this.client.disconnect(true);
  }

  close(): void {
    this.#state = "closed";
    this.client.disconnect();
  }

  #becameReady(): void {
    if (this.#state === "closed") return;
    if (this.#state === "lost") this.#log.info({ connection: this.#name }, "Redis is back");
    this.#state = "ready";
    for (const handler of this.#readyHandlers) handler();
  }

  #becameClosed(): void {
    if (this.#state !== "ready") return;
    this.#state = "lost";
    this.#log.warn({ connection: this.#name, err: this.#lastError }, "Redis is away");
    for (const handler of this.#lostHandlers) handler();
  }
}

/** Node's error for a name with several addresses has no message of its own, only one for each of them. */
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(describe).join(", ");
  return error instanceof Error ? error.message : String(error);
}
