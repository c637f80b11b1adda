import type { WebSocket } from "ws";

/** Sockets by what they were opened for, as long as they are open. */
export class SocketGroups<Key> {
  readonly #groups = new Map<Key, Set<WebSocket>>();

  join(key: Key, socket: WebSocket): void {
    const group = this.#groups.get(key) ?? new Set();
    this.#groups.set(key, group.add(socket));
    socket.once("close", () => {
      group.delete(socket);
      if (group.size === 0) this.#groups.delete(key);
    });
  }

  has(key: Key): boolean {
    return this.#groups.has(key);
  }

  /** To all of the group, which may be nobody. */
  send(key: Key, frame: string): void {
    const group = this.#groups.get(key);
    if (group === undefined) return;
    for (const socket of group) socket.send(frame);
  }
}
