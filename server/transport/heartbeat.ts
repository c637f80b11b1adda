import type { ConnectionRegistry } from "./registry.ts";

/** Milliseconds. */
const SECOND = 1_000;

export interface HeartbeatOptions {
  readonly connections: ConnectionRegistry;
  /** How often each connection is pinged: whole seconds, at least 1. */
  readonly pingSeconds: number;
  /** Milliseconds since the epoch, as `Connection.expiresAt` is. */
  readonly now: () => number;
}

/**
 * One interval for all connections of a server. Each second it closes those whose token has expired, and pings its share:
 * ids are given out in sequence, so the remainder by the period spreads the pings evenly over it, also when all clients
 * came at once.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #interval: NodeJS.Timeout;
  #second = 0;

  /** Starts at once. Does not keep the process alive. */
  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#interval = setInterval(beat, SECOND, this).unref();
  }

  beat(): void {
    const { connections, pingSeconds, now } = this.#options;
    const time = now();
    const share = this.#second % pingSeconds;
    this.#second += 1;
    for (const connection of connections) {
      if (connection.expiresAt !== null && connection.expiresAt <= time) connection.close("tokenExpired");
      else if (connection.id % pingSeconds === share) connection.ping();
    }
  }

  stop(): void {
    clearInterval(this.#interval);
  }
}

function beat(heartbeat: Heartbeat): void {
  heartbeat.beat();
}
