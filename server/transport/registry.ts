import type { CloseName } from "../protocol/close-codes.ts";
import type { Connection } from "./connection.ts";

/** Every connection of a server, from its construction until its socket is gone. */
export class ConnectionRegistry {
  readonly #connections = new Set<Connection>();
  readonly #whenEmpty: (() => void)[] = [];
  /** Not null once the server closes: what connections that still arrive are closed with. */
  #closeName: CloseName | null = null;
  #lastId = 0;

  get size(): number {
    return this.#connections.size;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#connections.values();
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  add(connection: Connection): void {
    this.#connections.add(connection);
    if (this.#closeName !== null) connection.close(this.#closeName);
  }

  delete(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  /**
   * Closes all, and all that still come. Resolves when none is left, which takes no longer than a close handshake may:
   * see `CLOSE_DEADLINE`.
   */
  closeAll(name: CloseName): Promise<void> {
    this.#closeName = name;
    for (const connection of this.#connections) connection.close(name);
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }
}
