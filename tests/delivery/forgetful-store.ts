import type { Roster, RosterChange } from "../../server/channel-layer/layer.ts";
import { LayerUnavailable, LEASE_SECONDS } from "../../server/channel-layer/layer.ts";
import type { RoomPresencesOptions } from "../../server/transport/presence.ts";
import type { FaultyLayer } from "../support/faulty-layer.ts";

/** Ms after it was emptied until all nodes have had the time to say their words again. */
const WHOLE_AFTER = (LEASE_SECONDS + 1) * 1_000;
const TICK = 1_000;
/** Versions of one life. */
const LIFE = 1_000_000;

/** Where rosters are kept, as Redis does it: it may lose them all, and gets them back from each node as it returns. */
export class ForgetfulStore {
  readonly #nodes: ForgetfulRoster[] = [];
  /** The last version of each life that is over, as the broker counts. */
  readonly #ends: number[] = [];
  #wholeIn = 0;
  #ticks: NodeJS.Timeout | null = null;

  get wholeIn(): number {
    return this.#wholeIn;
  }

  /** What room presences need of a layer. `lateness`: ms that the node takes to say its words again. */
  node(layer: FaultyLayer, lateness: number): RoomPresencesOptions["layer"] {
    const roster = new ForgetfulRoster(this, layer, lateness);
    this.#nodes.push(roster);
    return { roster, onReset: (handler) => layer.onReset(handler) };
  }

  /** `version`: the highest of any group. */
  empty(version: number): void {
    this.#ends.push(version);
    for (const node of this.#nodes) node.forget();
    if (this.#ticks !== null) clearInterval(this.#ticks);
    this.#wholeIn = WHOLE_AFTER;
    this.#ticks = setInterval(() => {
      this.#wholeIn -= TICK;
      if (this.#wholeIn === 0 && this.#ticks !== null) clearInterval(this.#ticks);
    }, TICK);
  }

  /** In each life versions start above those of the one before. */
  currentVersion(version: number): number {
    return version + LIFE * this.#ends.length;
  }

  /** The version of a change, however late it arrives. */
  versionThen(version: number): number {
    return version + LIFE * this.#ends.filter((end) => version > end).length;
  }
}

class ForgetfulRoster implements Roster {
  readonly #store: ForgetfulStore;
  readonly #layer: FaultyLayer;
  readonly #lateness: number;
  readonly #words = new Map<string, { readonly group: string; readonly member: string }>();
  #returning: NodeJS.Timeout | null = null;

  constructor(store: ForgetfulStore, layer: FaultyLayer, lateness: number) {
    this.#store = store;
    this.#layer = layer;
    this.#lateness = lateness;
  }

  forget(): void {
    for (const { group, member } of this.#words.values()) this.#layer.roster.leave(group, member, { announced: false });
    if (this.#returning !== null) clearTimeout(this.#returning);
    this.#returning = setTimeout(() => this.#return(), this.#lateness);
  }

  async join(group: string, member: string, options: { announced: boolean; listed: number }) {
    this.#requireKnown();
    const word = `${group} ${member}`;
    const isSaid = this.#words.has(word);
    this.#words.set(word, { group, member });
    try {
      const { before, isNew } = await this.#layer.roster.join(group, member, options);
      return { before: this.#list(before), isNew };
    } catch (error) {
      if (!isSaid) this.#words.delete(word);
      throw error;
    }
  }

  leave(group: string, member: string, options: { announced: boolean }): void {
    this.#words.delete(`${group} ${member}`);
    if (this.#returning === null) this.#layer.roster.leave(group, member, options);
  }

  async list(group: string, listed: number) {
    this.#requireKnown();
    return this.#list(await this.#layer.roster.list(group, listed));
  }

  async has(group: string, member: string) {
    this.#requireKnown();
    return this.#layer.roster.has(group, member);
  }

  async versions(groups: readonly string[]) {
    this.#requireKnown();
    const versions = await this.#layer.roster.versions(groups);
    return versions.map((version) => this.#store.currentVersion(version));
  }

  onChange(handler: (change: RosterChange) => void): void {
    this.#layer.roster.onChange((change) => handler({ ...change, version: this.#store.versionThen(change.version) }));
  }

  #return(): void {
    this.#returning = null;
    // It is in time, whatever a test takes away from newcomers.
    const { isAway } = this.#layer;
    this.#layer.isAway = false;
    for (const { group, member } of this.#words.values()) {
      void this.#layer.roster.join(group, member, { announced: true, listed: 0 });
    }
    this.#layer.isAway = isAway;
    this.#layer.reset();
  }

  #list<List extends { readonly version: number }>(list: List): List {
    return { ...list, version: this.#store.currentVersion(list.version), wholeIn: this.#store.wholeIn };
  }

  #requireKnown(): void {
    if (this.#returning !== null) throw new LayerUnavailable("the store has forgotten this node");
  }
}
