import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";
import { RawSocket } from "./raw-lines.ts";

/** Ms inside, and outside. */
const VISIT = 400;

/** Somebody who enters a room, stays for a moment, goes, and comes again on the next node. */
export class Visitor {
  readonly person: string;
  readonly conversationId: string;
  /** How often they were in. */
  visits = 0;
  readonly #cluster: Cluster;
  readonly #coming: Promise<void>;
  #socket: RawSocket | null = null;
  #isComing = true;
  #isClosed = false;

  constructor(cluster: Cluster, person: string, conversationId: string) {
    this.#cluster = cluster;
    this.person = person;
    this.conversationId = conversationId;
    this.#coming = this.#come();
  }

  get isInside(): boolean {
    return this.#socket?.isOpen === true;
  }

  /** Resolves when they have stopped coming and going, inside the room or outside. */
  async stop(place: "inside" | "outside"): Promise<void> {
    this.#isComing = false;
    await this.#coming;
    if (place === "outside") this.#leave();
    while (place === "inside" && !this.isInside && !this.#isClosed) {
      await this.#enter();
      await sleep(VISIT);
    }
  }

  close(): void {
    this.#isComing = false;
    this.#isClosed = true;
    this.#leave();
  }

  async #come(): Promise<void> {
    while (this.#isComing) {
      await this.#enter();
      await sleep(VISIT);
      if (!this.#isComing) return;
      this.#leave();
      await sleep(VISIT);
    }
  }

  #leave(): void {
    this.#socket?.close();
    this.#socket = null;
  }

  async #enter(): Promise<void> {
    const { runningNodes } = this.#cluster;
    const node = runningNodes[this.visits % runningNodes.length];
    if (node === undefined) return;
    try {
      const path = `/ws/${this.conversationId}/`;
      this.#socket = await RawSocket.open(this.person, `${node.sockets}${path}`, () => {});
      this.visits += 1;
      if (this.#isClosed) this.#leave();
    } catch {
      // Refused, or closed as it opened: what it stands on is away, and the next visit is another try.
    }
  }
}
