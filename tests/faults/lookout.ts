/** A room beside the traffic: somebody looks on from a node that stays, while people on another come, go, or die with it. */
import { expect, onTestFinished, vi } from "vitest";
import type { Frame } from "../support/communicator.ts";
import { tokenFor } from "../support/stack.ts";
import type { ClusterNode } from "./cluster-node.ts";
import { RawSocket } from "./raw-lines.ts";
import { RoomRecord } from "./records.ts";

/** A join or a leave that the onlooker was told. */
interface Sighting {
  readonly person: string;
  readonly what: "join" | "leave";
  /** By `performance.now()`. */
  readonly at: number;
}

/** Ms; it ends what hangs. */
const PATIENCE = { timeout: 60_000, interval: 20 };

const ONLOOKER = "onlooker";

export class Lookout {
  readonly sightings: Sighting[] = [];
  readonly #record: RoomRecord;

  private constructor(conversationId: string) {
    this.#record = new RoomRecord(conversationId);
  }

  /**
   * The onlooker's socket is on `node`. Nobody of `people` is in the room yet. To be called inside a test, at whose end all
   * sockets are closed.
   */
  static async open(node: ClusterNode, people: readonly string[]): Promise<Lookout> {
    const ask = async (person: string, path: string, body?: object) => {
      const headers = { authorization: `Bearer ${await tokenFor(person)}`, "content-type": "application/json" };
      const request = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
      const response = await fetch(`${node.url}${path}`, { headers, ...request });
      expect(response.status).toBeLessThan(300);
      return response.json();
    };
    for (const person of [ONLOOKER, ...people]) await ask(person, "/api/me");
    const { id }: Frame = await ask(ONLOOKER, "/api/conversations", {
      type: "group",
      name: "lookout",
      members: people,
    });
    const lookout = new Lookout(id);
    await lookout.enter(ONLOOKER, node);
    return lookout;
  }

  /** Who is there, by what the onlooker was told. */
  get present(): string[] {
    return [...this.#record.present].filter((person) => person !== ONLOOKER).sort();
  }

  /** Resolves when the socket is open on this node and the onlooker is told of the person, or was before. */
  async enter(person: string, node: ClusterNode): Promise<RawSocket> {
    const url = `${node.sockets}/ws/${this.#record.conversationId}/`;
    const socket = await RawSocket.open(person, url, (frame) => {
      if (person === ONLOOKER) this.#hear(frame);
    });
    onTestFinished(() => socket.close());
    await vi.waitFor(() => expect([...this.#record.present]).toContain(person), PATIENCE);
    return socket;
  }

  /** Resolves, with the time of the last sighting, when exactly these are there. */
  async shows(people: readonly string[]): Promise<number> {
    await vi.waitFor(() => expect(this.present).toEqual([...people].sort()), PATIENCE);
    return this.sightings.at(-1)?.at ?? 0;
  }

  #hear(frame: Frame): void {
    this.#record.hear(frame);
    const at = performance.now();
    if (frame.type === "user_join") this.sightings.push({ person: frame.user, what: "join", at });
    else if (frame.type === "user_leave") this.sightings.push({ person: frame.user, what: "leave", at });
  }
}
