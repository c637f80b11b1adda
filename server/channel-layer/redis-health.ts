import { LayerUnavailable } from "./layer.ts";
import type { LayerLog, RedisConnection } from "./redis-connection.ts";

/**
 * Refusals that a new connection may end: another server may answer to the name by now (a replica that was promoted), or
 * this one has read its data meanwhile. The others (OOM, MISCONF, NOPERM, BUSY…) end where they are.
 */
const HELPED_BY_NEW_CONNECTION: ReadonlySet<string> = new Set([
  ...["READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "MOVED", "NOAUTH", "NOREPLICAS"],
]);

/** Between two new connections, in ms: the first one is made at once, each further one waits twice as long. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
/** After so long, in ms, without a refusal the next new connection is made at once again. */
const QUIET_MS = 60_000;

/** A Redis that answers, and refuses what a node needs: one line for each change of state, and new connections where they help. */
export class RedisHealth {
  readonly #connections: readonly RedisConnection[];
  readonly #log: LayerLog;
  #refusal: { readonly code: string; readonly words: string } | null = null;
  #wait = 0;
  #lastRefusal = 0;
  #reconnect: NodeJS.Timeout | undefined;

  constructor(connections: readonly RedisConnection[], log: LayerLog) {
    this.#connections = connections;
    this.#log = log;
  }

  /** What Redis says against this node; null: nothing. */
  get refusal(): string | null {
    return this.#refusal?.words ?? null;
  }

  /** Called with each failure; those in which Redis did not speak are not its business. `what`: was asked for. */
  failed(error: unknown, what: string): void {
    const words = refusalIn(error);
    if (words !== null) this.#refused(words, what);
  }

  /** The two connections lead to different servers, as it seems: what one of them publishes the other does not hear. */
  deaf(): void {
    this.#refused("DEAF what this node publishes does not come back to it", "hear");
  }

  /** Everything that a socket needs was done just now. */
  serves(): void {
    if (this.#refusal === null) return;
    this.#log.info({ refused: this.#refusal.words }, "Redis does all that this node needs again");
    this.#refusal = null;
  }

  close(): void {
    clearTimeout(this.#reconnect);
  }

  #refused(words: string, what: string): void {
    const [code = ""] = words.split(" ");
    if (this.#refusal?.code !== code) {
      this.#log.warn({ redis: words, what }, "Redis answers but refuses what this node needs: no socket can be opened");
    }
    this.#refusal = { code, words };
    const now = Date.now();
    if (now - this.#lastRefusal > QUIET_MS) this.#wait = 0;
    this.#lastRefusal = now;
    if (HELPED_BY_NEW_CONNECTION.has(code) || code === "DEAF") this.#connectAnew();
  }

  /** Both: a name may lead elsewhere, and what is published on one server is not heard on another. */
  #connectAnew(): void {
    if (this.#reconnect !== undefined) return;
    this.#reconnect = setTimeout(() => {
      this.#reconnect = undefined;
      for (const connection of this.#connections) connection.renew();
    }, this.#wait);
    this.#wait = Math.min(Math.max(FIRST_WAIT_MS, 2 * this.#wait), LONGEST_WAIT_MS);
  }
}

const CODES_IN_SCRIPTS = /\b(?:READONLY|OOM|MISCONF|NOPERM|LOADING|MASTERDOWN|CLUSTERDOWN|NOREPLICAS) .*/;

/** Redis' own words; null when it said nothing, because it could not be reached. */
export function refusalIn(error: unknown): string | null {
  const cause = error instanceof LayerUnavailable ? error.cause : error;
  if (!(cause instanceof Error) || cause.name !== "ReplyError") return null;
  // Scripts that were dropped are loaded by the next session.
  if (cause.message.startsWith("NOSCRIPT")) return null;
  // Before version 7 it tells what stopped a script behind words of its own.
  return CODES_IN_SCRIPTS.exec(cause.message)?.[0] ?? cause.message;
}
