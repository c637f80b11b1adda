/**
 * What a node listens to, compared with storage: in sweeps, after the layer was away, and wherever something is known to
 * have been lost. One pass of each kind is under way at a time, and one query of a pass.
 */
import { Outage, type OutageLog } from "../core/outage.ts";
import type { DeliveryStore, Position } from "../core/store.ts";

/** What is compared: the hub's feeds and users. */
export interface Compared {
  conversationIds(): readonly string[];
  userIds(): readonly string[];
  /** Where a conversation stands, as storage says. */
  position(position: Position): void;
  /** In how many conversations a user is, as storage says. */
  conversations(userId: string, conversations: number): void;
  /** Events of a user may have gone unheard here. */
  missedEvents(userId: string): void;
  /** Events of a user went unheard on other nodes. */
  tellMissedEvents(userId: string): void;
}

export interface StorageComparisonOptions {
  readonly compared: Compared;
  readonly store: Pick<DeliveryStore, "positions" | "conversationCounts">;
  readonly log: OutageLog;
  /** Null: never by itself. */
  readonly sweepSeconds: number | null;
}

/** Conversations, or users, for each query. */
const COMPARED_PER_QUERY = 2_000;
/** News of users are few, and what is asked about them is dearer: every sixth sweep asks about users too. */
const SWEEPS_PER_USER_SWEEP = 6;
/** Between two tries while storage or the layer does not answer, in ms. */
const RETRY = 1_000;

/** "again": something was doubted that the pass under way may have looked at before. */
type Pass = "none" | "running" | "again";

export class StorageComparison {
  readonly #options: StorageComparisonOptions;
  readonly #outage: Outage;
  readonly #sweep: NodeJS.Timeout | null;
  #sweeps = 0;
  #passOfAll: Pass = "none";
  #isComparingUsers = false;
  /** To be compared at the next retry: storage gave no position, or what was said of them could not be read. */
  readonly #conversations = new Set<string>();
  /** Users of whom something could not be read. */
  readonly #unheard = new Set<string>();
  /** Users whose other nodes missed an event. */
  readonly #untold = new Set<string>();
  #retry: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: StorageComparisonOptions) {
    this.#options = options;
    const { log, sweepSeconds } = options;
    this.#outage = new Outage({
      log,
      begins: "what is listened to could not be compared with storage; trying further",
      ends: "what is listened to can be compared with storage again",
    });
    this.#sweep = sweepSeconds === null ? null : setInterval(() => this.#sweepAll(), sweepSeconds * 1000).unref();
  }

  /** Compares these at once. */
  some(conversationIds: readonly string[]): void {
    void this.#compareEach(conversationIds);
  }

  /** Compares everything; while that is under way, once more after it. */
  all(): void {
    if (this.#passOfAll === "none") void this.#compareAll();
    else this.#passOfAll = "again";
  }

  /** Together with whatever else is doubted within a second, however often it is. */
  soon(conversationId: string): void {
    this.#conversations.add(conversationId);
    this.#retrySoon();
  }

  unheard(userId: string): void {
    this.#unheard.add(userId);
    this.#retrySoon();
  }

  untold(userId: string): void {
    this.#untold.add(userId);
    this.#retrySoon();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#sweep !== null) clearInterval(this.#sweep);
    if (this.#retry !== null) clearTimeout(this.#retry);
  }

  #sweepAll(): void {
    // A pass that takes longer than the time between two is not joined by another.
    if (this.#passOfAll === "none") void this.#compareAll();
    this.#sweeps += 1;
    if (this.#sweeps % SWEEPS_PER_USER_SWEEP === 0 && !this.#isComparingUsers) void this.#compareUsers();
  }

  async #compareAll(): Promise<void> {
    do {
      this.#passOfAll = "running";
      await this.#compareEach(this.#options.compared.conversationIds());
    } while (this.#isDoubtedAgain && !this.#isClosed);
    this.#passOfAll = "none";
  }

  get #isDoubtedAgain(): boolean {
    return this.#passOfAll === "again";
  }

  async #compareEach(ids: readonly string[]): Promise<void> {
    const { store, compared } = this.#options;
    for (const some of inBatches(ids)) {
      if (this.#isClosed) return;
      try {
        for (const position of await store.positions(some)) compared.position(position);
        this.#outage.works();
      } catch (err) {
        this.#outage.fails({ conversations: ids.length, err });
        for (const id of some) this.#conversations.add(id);
        this.#retrySoon();
      }
    }
  }

  async #compareUsers(): Promise<void> {
    this.#isComparingUsers = true;
    const { store, compared } = this.#options;
    const ids = compared.userIds();
    try {
      for (const some of inBatches(ids)) {
        if (this.#isClosed) return;
        const counts = await store.conversationCounts(some);
        const known = new Map(counts.map(({ userId, conversations }) => [userId, conversations]));
        for (const id of some) compared.conversations(id, known.get(id) ?? 0);
      }
      this.#outage.works();
    } catch (err) {
      // The next sweep asks about all of them again.
      this.#outage.fails({ users: ids.length, err });
    } finally {
      this.#isComparingUsers = false;
    }
  }

  #retrySoon(): void {
    if (this.#isClosed) return;
    this.#retry ??= setTimeout(() => {
      this.#retry = null;
      const { compared } = this.#options;
      this.some(taken(this.#conversations));
      for (const userId of taken(this.#unheard)) compared.missedEvents(userId);
      for (const userId of taken(this.#untold)) compared.tellMissedEvents(userId);
    }, RETRY).unref();
  }
}

function taken(ids: Set<string>): string[] {
  const all = [...ids];
  ids.clear();
  return all;
}

function* inBatches(ids: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < ids.length; from += COMPARED_PER_QUERY) yield ids.slice(from, from + COMPARED_PER_QUERY);
}
