import type { ChannelLayer, Roster, RosterChange } from "../../server/channel-layer/layer.ts";
import { LayerUnavailable } from "../../server/channel-layer/layer.ts";
import type { MemoryChannelLayer } from "../../server/channel-layer/memory.ts";

/**
 * What becomes of something that another node says. "late" things come out of order, with the next "overtaken" one or
 * with `settle`.
 */
export type Fate = "arrives" | "lost" | "doubled" | "late" | "overtaken";

/** All that the layer's contract permits: a node's ear that loses, doubles, delays and reorders by a script. */
export class FaultyLayer implements ChannelLayer {
  readonly roster: Roster;
  /** Calls so far, by name; for `subscribe` and `unsubscribe` the groups of them. */
  readonly calls = { publish: 0, subscribe: [] as string[], unsubscribe: [] as string[] };
  /** While true, nothing can be subscribed to. */
  isAway = false;
  /** While true, nothing reaches the other nodes, and this node learns of it. */
  isMute = false;
  readonly #inner: MemoryChannelLayer;
  #script: readonly Fate[];
  readonly #resetHandlers: (() => void)[] = [];
  readonly #unreadableHandlers: ((group: string) => void)[] = [];
  readonly #failedHandlers: ((group: string) => void)[] = [];
  #step = 0;
  #late: (() => void)[] = [];

  /** `script`: the fate of each arrival, over and over; empty: everything arrives. */
  constructor(inner: MemoryChannelLayer, script: readonly Fate[] = []) {
    this.#inner = inner;
    this.#script = script;
    this.roster = {
      join: async (...join) => {
        this.#requirePresence();
        return inner.join(...join);
      },
      leave: (...leave) => inner.leave(...leave),
      list: (...list) => inner.list(...list),
      has: (...has) => inner.has(...has),
      versions: (...versions) => inner.versions(...versions),
      onChange: (handler) => inner.onChange((change: RosterChange) => this.#arrive(() => handler(change))),
    };
  }

  get nodeId(): string {
    return this.#inner.nodeId;
  }

  publish(group: string, payload: () => string): void {
    this.calls.publish += 1;
    if (this.isMute) queueMicrotask(() => this.#failedHandlers.map((handler) => handler(group)));
    else this.#inner.publish(group, payload);
  }

  async subscribe(groups: readonly string[]): Promise<void> {
    this.calls.subscribe.push(...groups);
    this.#requirePresence();
    await this.#inner.subscribe(groups);
  }

  unsubscribe(groups: readonly string[]): void {
    this.calls.unsubscribe.push(...groups);
    this.#inner.unsubscribe(groups);
  }

  onMessage(handler: (group: string, payload: string) => void): void {
    this.#inner.onMessage((group, payload) => this.#arrive(() => handler(group, payload)));
  }

  onUnreadable(handler: (group: string) => void): void {
    this.#unreadableHandlers.push(handler);
  }

  onReset(handler: () => void): void {
    this.#resetHandlers.push(handler);
  }

  onPublishFailed(handler: (group: string) => void): void {
    this.#failedHandlers.push(handler);
  }

  ping(): Promise<void> {
    return this.#inner.ping();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** Says that anything may have been missed. */
  reset(): void {
    for (const handler of this.#resetHandlers) handler();
  }

  /** Something comes that no node says. */
  garble(group: string): void {
    for (const handler of this.#unreadableHandlers) handler(group);
  }

  /** From now on everything arrives. */
  heal(): void {
    this.#script = [];
  }

  /** What was late comes now, the latest first. */
  settle(): void {
    const late = this.#late.reverse();
    this.#late = [];
    for (const arrive of late) arrive();
  }

  #arrive(arrive: () => void): void {
    const fate = this.#script[this.#step % this.#script.length] ?? "arrives";
    this.#step += 1;
    switch (fate) {
      case "arrives":
        arrive();
        return;
      case "lost":
        return;
      case "doubled":
        arrive();
        arrive();
        return;
      case "late":
        this.#late.push(arrive);
        return;
      case "overtaken":
        this.#late.push(arrive);
        this.settle();
        return;
    }
  }

  #requirePresence(): void {
    if (this.isAway) throw new LayerUnavailable("a test has taken the layer away");
  }
}
