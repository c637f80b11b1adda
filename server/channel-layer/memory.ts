import { randomUUID } from "node:crypto";
import {
  type ChannelLayer,
  LayerUnavailable,
  type Roster,
  type RosterChange,
  type RosterJoin,
  type RosterList,
} from "./layer.ts";

/** How many emptied groups keep their version; one older than these starts again above every version forgotten so far. */
const REMEMBERED_EMPTY_GROUPS = 10_000;

interface Group {
  /** Member → the nodes that say so, each with whether it wants the leaving announced should it die. */
  readonly members: Map<string, Map<MemoryChannelLayer, boolean>>;
  version: number;
}

/** What the nodes of one process share: it stands where Redis stands otherwise. */
export class MemoryBroker {
  readonly #layers = new Set<MemoryChannelLayer>();
  readonly #groups = new Map<string, Group>();
  readonly #versionsOfEmptied = new Map<string, number>();
  #highestForgotten = 0;

  join(): MemoryChannelLayer {
    const layer = new MemoryChannelLayer(this);
    this.#layers.add(layer);
    return layer;
  }

  /** The node is gone, with or without a goodbye: it hears nothing any more and its members leave every roster. */
  kill(layer: MemoryChannelLayer): void {
    if (!this.#layers.delete(layer)) return;
    for (const [name, group] of this.#groups) {
      for (const [member, nodes] of group.members) {
        const announced = nodes.get(layer);
        if (announced !== undefined) this.takeBack(layer, name, member, announced);
      }
    }
  }

  has(layer: MemoryChannelLayer): boolean {
    return this.#layers.has(layer);
  }

  publish(sender: MemoryChannelLayer, group: string, payload: () => string): void {
    const receivers = [...this.#layers].filter((layer) => layer !== sender && layer.isSubscribed(group));
    if (receivers.length === 0) return;
    const text = payload();
    // A microtask for each receiver: it keeps the order, and a handler that throws takes no other receiver with it.
    for (const receiver of receivers) queueMicrotask(() => receiver.receive(group, text));
  }

  /** True when the member is new to the group. */
  say(layer: MemoryChannelLayer, name: string, member: string, announced: boolean): boolean {
    const group = this.#groups.get(name) ?? { members: new Map(), version: this.version(name) };
    this.#groups.set(name, group);
    this.#versionsOfEmptied.delete(name);
    const nodes = group.members.get(member);
    if (nodes !== undefined) {
      if (!nodes.has(layer)) nodes.set(layer, announced);
      return false;
    }
    group.members.set(member, new Map([[layer, announced]]));
    if (announced) this.#announce(name, group, member, true);
    return true;
  }

  takeBack(layer: MemoryChannelLayer, name: string, member: string, announced: boolean): void {
    const group = this.#groups.get(name);
    const nodes = group?.members.get(member);
    if (group === undefined || nodes === undefined || !nodes.delete(layer) || nodes.size > 0) return;
    group.members.delete(member);
    if (announced) this.#announce(name, group, member, false);
    if (group.members.size === 0) this.#forget(name, group.version);
  }

  list(name: string, listed: number): RosterList {
    const group = this.#groups.get(name);
    const members: string[] = [];
    for (const member of group?.members.keys() ?? []) {
      if (members.length >= listed) break;
      members.push(member);
    }
    return { members, total: group?.members.size ?? 0, version: this.version(name), wholeIn: 0 };
  }

  isMember(name: string, member: string): boolean {
    return this.#groups.get(name)?.members.has(member) ?? false;
  }

  version(name: string): number {
    return this.#groups.get(name)?.version ?? this.#versionsOfEmptied.get(name) ?? this.#highestForgotten;
  }

  #announce(name: string, group: Group, member: string, present: boolean): void {
    group.version += 1;
    const change: RosterChange = { group: name, member, present, version: group.version };
    for (const layer of this.#layers) {
      if (layer.isSubscribed(name)) queueMicrotask(() => layer.receiveChange(change));
    }
  }

  /** Drops an emptied group but not at once its version, which must not go backwards for those who remember it. */
  #forget(name: string, version: number): void {
    this.#groups.delete(name);
    this.#versionsOfEmptied.set(name, version);
    if (this.#versionsOfEmptied.size <= REMEMBERED_EMPTY_GROUPS) return;
    for (const [oldest, forgotten] of this.#versionsOfEmptied) {
      this.#versionsOfEmptied.delete(oldest);
      this.#highestForgotten = Math.max(this.#highestForgotten, forgotten);
      return;
    }
  }
}

/**
 * A node of a `MemoryBroker`. A server of one node is a broker with a single layer; tests join several. It is away only
 * after its own end, so nothing is ever missed and `onReset` is never called.
 */
export class MemoryChannelLayer implements ChannelLayer, Roster {
  readonly nodeId: string = randomUUID();
  readonly roster: Roster = this;
  readonly #broker: MemoryBroker;
  readonly #subscribed = new Set<string>();
  readonly #messageHandlers: ((group: string, payload: string) => void)[] = [];
  readonly #changeHandlers: ((change: RosterChange) => void)[] = [];
  readonly #publishFailedHandlers: ((group: string) => void)[] = [];

  constructor(broker: MemoryBroker) {
    this.#broker = broker;
  }

  publish(group: string, payload: () => string): void {
    if (this.#broker.has(this)) {
      this.#broker.publish(this, group, payload);
    } else {
      queueMicrotask(() => {
        for (const handler of this.#publishFailedHandlers) handler(group);
      });
    }
  }

  async subscribe(groups: readonly string[]): Promise<void> {
    this.#requireAlive();
    for (const group of groups) this.#subscribed.add(group);
  }

  unsubscribe(groups: readonly string[]): void {
    for (const group of groups) this.#subscribed.delete(group);
  }

  onMessage(handler: (group: string, payload: string) => void): void {
    this.#messageHandlers.push(handler);
  }

  onUnreadable(): void {}

  onReset(): void {}

  onPublishFailed(handler: (group: string) => void): void {
    this.#publishFailedHandlers.push(handler);
  }

  async ping(): Promise<void> {
    this.#requireAlive();
  }

  async close(): Promise<void> {
    this.#broker.kill(this);
  }

  async join(
    group: string,
    member: string,
    { announced, listed }: { announced: boolean; listed: number },
  ): Promise<RosterJoin> {
    this.#requireAlive();
    const before = this.#broker.list(group, listed);
    return { before, isNew: this.#broker.say(this, group, member, announced) };
  }

  leave(group: string, member: string, { announced }: { announced: boolean }): void {
    this.#broker.takeBack(this, group, member, announced);
  }

  async list(group: string, listed: number): Promise<RosterList> {
    this.#requireAlive();
    return this.#broker.list(group, listed);
  }

  async has(group: string, member: string): Promise<boolean> {
    this.#requireAlive();
    return this.#broker.isMember(group, member);
  }

  async versions(groups: readonly string[]): Promise<number[]> {
    this.#requireAlive();
    return groups.map((group) => this.#broker.version(group));
  }

  onChange(handler: (change: RosterChange) => void): void {
    this.#changeHandlers.push(handler);
  }

  isSubscribed(group: string): boolean {
    return this.#subscribed.has(group);
  }

  receive(group: string, payload: string): void {
    if (!this.#hears(group)) return;
    for (const handler of this.#messageHandlers) handler(group, payload);
  }

  receiveChange(change: RosterChange): void {
    if (!this.#hears(change.group)) return;
    for (const handler of this.#changeHandlers) handler(change);
  }

  /** Asked again at delivery: between publish and delivery it may have unsubscribed, or died. */
  #hears(group: string): boolean {
    return this.#subscribed.has(group) && this.#broker.has(this);
  }

  #requireAlive(): void {
    if (!this.#broker.has(this)) throw new LayerUnavailable("this node has left the channel layer");
  }
}
