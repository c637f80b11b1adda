import fc from "fast-check";
import { vi } from "vitest";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import type { ConversationListener } from "../../server/transport/conversation-feed.ts";
import type { Delivery } from "../../server/transport/delivery.ts";
import { Hub } from "../../server/transport/hub.ts";
import { type Fate, FaultyLayer } from "../support/faulty-layer.ts";
import { Truth } from "./truth.ts";

/** Seconds, as in the server. */
export const SWEEP_SECONDS = 5;
/** Ms: two sweeps, the tries after a failure, and what they ask for. */
const QUIESCENCE = 2 * SWEEP_SECONDS * 1000 + 5_000;

export interface Node {
  readonly layer: FaultyLayer;
  readonly hub: Hub;
}

/** Chosen by fast-check. */
export interface Circumstances {
  /** The fate of each arrival, for each node. */
  readonly scripts: readonly (readonly Fate[])[];
  /** Ms that storage takes for each answer, over and over. */
  readonly latencies: readonly number[];
}

export const circumstances = (nodes: number): fc.Arbitrary<Circumstances> =>
  fc.record({
    scripts: fc.array(
      fc.array(fc.constantFrom<Fate>("arrives", "arrives", "lost", "doubled", "late", "overtaken"), { maxLength: 12 }),
      { minLength: nodes, maxLength: nodes },
    ),
    latencies: fc.array(fc.constantFrom(0, 1, 10, 40, 700), { maxLength: 8 }),
  });

/** Nodes on one broker, each with a hub, before one truth; on fake timers. */
export class World {
  readonly truth: Truth;
  readonly nodes: readonly Node[];
  readonly faults: object[] = [];

  constructor({ scripts, latencies }: Circumstances = { scripts: [[]], latencies: [] }) {
    // Those of a world before, whose test failed.
    vi.clearAllTimers();
    this.truth = new Truth(latencies);
    const broker = new MemoryBroker();
    this.nodes = scripts.map((script) => {
      const layer = new FaultyLayer(broker.join(), script);
      return { layer, hub: new Hub({ layer, store: this.truth, log: this.log, sweepSeconds: SWEEP_SECONDS }) };
    });
  }

  /** Warnings are the weather; errors are faults. */
  get log() {
    return { info: () => {}, warn: () => {}, error: (fields: object) => this.faults.push(fields) };
  }

  node(index: number): Node {
    const node = this.nodes[index % this.nodes.length];
    if (node === undefined) throw new Error("a world without nodes");
    return node;
  }

  /** Everything works, everything late arrives, and everybody has had the time to find what is missing. */
  async comeToRest(): Promise<void> {
    this.truth.isAway = false;
    for (const { layer } of this.nodes) {
      layer.isAway = false;
      layer.isMute = false;
    }
    await vi.advanceTimersByTimeAsync(1_000);
    for (const { layer } of this.nodes) layer.settle();
    await vi.advanceTimersByTimeAsync(QUIESCENCE);
    if (this.faults.length > 0) throw new Error(`faults were logged: ${JSON.stringify(this.faults)}`);
  }

  /** Nothing is left that would still do something. */
  async close(): Promise<void> {
    for (const { hub } of this.nodes) hub.close();
    // The answers that are on their way.
    await vi.advanceTimersByTimeAsync(1_000);
    if (vi.getTimerCount() > 0) throw new Error(`${vi.getTimerCount()} timers are left`);
  }
}

export function useFakeTimers(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
}

/** A socket's ear, as far as delivery knows it. */
export class Ear implements ConversationListener {
  readonly userId: string;
  readonly membership: number;
  readonly seqs: number[] = [];
  readonly deliveries: Delivery[] = [];
  expulsions = 0;
  readsMissed = 0;
  readonly #onHear: (delivery: Delivery) => void;

  constructor(userId: string, membership: number, onHear: (delivery: Delivery) => void = () => {}) {
    this.userId = userId;
    this.membership = membership;
    this.#onHear = onHear;
  }

  hear(delivery: Delivery): void {
    this.deliveries.push(delivery);
    if ("message" in delivery.event) this.seqs.push(delivery.event.seq);
    this.#onHear(delivery);
  }

  expelled(): void {
    this.expulsions += 1;
  }

  missedReads(): void {
    this.readsMissed += 1;
  }
}
