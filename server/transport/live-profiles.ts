/**
 * The profiles of those who have sockets on this node, as they are now: who is renamed is renamed everywhere at once. Other
 * nodes say who changed, which is rare; what they are now is read from storage, as it is after anything may have been missed.
 */
import type { ChannelLayer } from "../channel-layer/layer.ts";
import type { Profile } from "../core/model.ts";
import { Outage } from "../core/outage.ts";
import type { UserStore } from "../core/store.ts";
import { isSameProfile } from "../core/users.ts";
import type { FeedLog } from "./conversation-listener.ts";
import { PROFILES_GROUP } from "./groups.ts";
import type { ListenerFaults } from "./listener-faults.ts";

export interface ProfileListener {
  /** The profile is another one now. */
  renamed(): void;
}

export interface LiveProfilesOptions {
  readonly layer: Pick<ChannelLayer, "publish" | "subscribe" | "onMessage" | "onReset">;
  readonly store: Pick<UserStore, "usersByIdOrName">;
  readonly log: FeedLog;
  readonly faults: ListenerFaults;
  /** How often, in seconds, all are compared with storage; null: never by itself. */
  readonly sweepSeconds: number | null;
}

interface Entry {
  profile: Profile;
  readonly listeners: Set<ProfileListener>;
}

/** Users for each query. */
const ASKED_PER_QUERY = 2_000;
/** Between two tries while storage or the layer does not answer, in ms; what is doubted meanwhile is asked for together. */
const RETRY = 1_000;
const SOON = 10;

export class LiveProfiles {
  readonly #options: LiveProfilesOptions;
  readonly #outage: Outage;
  readonly #entries = new Map<string, Entry>();
  readonly #doubted = new Set<string>();
  readonly #sweep: NodeJS.Timeout | null;
  #asking: NodeJS.Timeout | null = null;
  #isAsking = false;
  #isClosed = false;

  constructor(options: LiveProfilesOptions) {
    this.#options = options;
    const { layer, log, sweepSeconds } = options;
    this.#outage = new Outage({
      log,
      begins: "who was renamed could not be found out; trying further",
      ends: "who was renamed can be found out again",
    });
    layer.onMessage((group, userId) => {
      if (group === PROFILES_GROUP && this.#entries.has(userId)) this.#doubt([userId], SOON);
    });
    layer.onReset(() => this.#doubt(this.#entries.keys(), SOON));
    this.#sweep =
      sweepSeconds === null
        ? null
        : setInterval(() => this.#doubt(this.#entries.keys(), SOON), sweepSeconds * 1000).unref();
    this.#listen();
  }

  /** The newest that is known of somebody who was seen as `profile`. */
  current(profile: Profile): Profile {
    return this.#entries.get(profile.id)?.profile ?? profile;
  }

  /** Until the release that is returned the listener hears of each change. */
  hold(profile: Profile, listener: ProfileListener): () => void {
    const entry = this.#entries.get(profile.id) ?? { profile, listeners: new Set() };
    this.#entries.set(profile.id, entry);
    entry.listeners.add(listener);
    return () => {
      entry.listeners.delete(listener);
      if (entry.listeners.size === 0 && this.#entries.get(profile.id) === entry) this.#entries.delete(profile.id);
    };
  }

  /**
   * Read from storage a moment ago, when a socket was opened: newer than what is held while the news of a rename is on its way.
   * It is asked for once more, since there may have been another rename after that moment.
   */
  seen(profile: Profile): void {
    const entry = this.#entries.get(profile.id);
    if (entry === undefined || isSameProfile(entry.profile, profile)) return;
    this.#take(profile);
    this.#doubt([profile.id], SOON);
  }

  /** Stored on this node just now. */
  changed(profile: Profile): void {
    this.#take(profile);
    this.#options.layer.publish(PROFILES_GROUP, () => profile.id);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#sweep !== null) clearInterval(this.#sweep);
    if (this.#asking !== null) clearTimeout(this.#asking);
  }

  #listen(): void {
    this.#options.layer.subscribe([PROFILES_GROUP]).then(
      () => this.#outage.works(),
      (err: unknown) => {
        this.#outage.fails({ err });
        setTimeout(() => this.#isClosed || this.#listen(), RETRY).unref();
      },
    );
  }

  #take(profile: Profile): void {
    const entry = this.#entries.get(profile.id);
    if (entry === undefined || isSameProfile(entry.profile, profile)) return;
    entry.profile = profile;
    for (const listener of entry.listeners) {
      this.#options.faults.guard("renamed", { user: profile.id }, () => listener.renamed());
    }
  }

  #doubt(userIds: Iterable<string>, delay: number): void {
    for (const id of userIds) this.#doubted.add(id);
    if (this.#isClosed || this.#isAsking || this.#doubted.size === 0) return;
    this.#asking ??= setTimeout(() => {
      this.#asking = null;
      void this.#ask();
    }, delay).unref();
  }

  /** One query at a time. */
  async #ask(): Promise<void> {
    this.#isAsking = true;
    const ids = [...this.#doubted].slice(0, ASKED_PER_QUERY);
    for (const id of ids) this.#doubted.delete(id);
    let delay = SOON;
    try {
      for (const { asked, profile } of await this.#options.store.usersByIdOrName(ids)) {
        if (profile.id === asked) this.#take(profile);
      }
      this.#outage.works();
    } catch (err) {
      this.#outage.fails({ users: ids.length, err });
      for (const id of ids) this.#doubted.add(id);
      delay = RETRY;
    }
    this.#isAsking = false;
    this.#doubt([], delay);
  }
}
