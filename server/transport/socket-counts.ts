import type { ChannelLayer } from "../channel-layer/layer.ts";
import { socketGroup } from "./groups.ts";

/** How many sockets each user has, over all nodes: a roster with a member for each socket, given back by the lease too. */
export class SocketCounts {
  readonly #layer: ChannelLayer;
  readonly #max: number;

  constructor(layer: ChannelLayer, max: number) {
    this.#layer = layer;
    this.#max = max;
  }

  /** Rejects with `LayerUnavailable`. `leave` is due afterwards in any case. */
  async enter(userId: string, connectionId: number): Promise<"entered" | "too_many"> {
    const { before } = await this.#layer.roster.join(socketGroup(userId), this.#member(connectionId), {
      announced: false,
      listed: 0,
    });
    return before.total < this.#max ? "entered" : "too_many";
  }

  /** Whether the user has a socket, on any path and node. Rejects with `LayerUnavailable`. */
  async isOnline(userId: string): Promise<boolean> {
    const { total } = await this.#layer.roster.list(socketGroup(userId), 0);
    return total > 0;
  }

  leave(userId: string, connectionId: number): void {
    this.#layer.roster.leave(socketGroup(userId), this.#member(connectionId), { announced: false });
  }

  #member(connectionId: number): string {
    return `${this.#layer.nodeId}:${connectionId}`;
  }
}
