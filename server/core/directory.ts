/** The directory: searches for users, each at a price, among those whom the operator lets be found. */
import type { Profile } from "./model.ts";
import { type RateLimit, tooMany } from "./rate.ts";
import type { UserStore } from "./store.ts";

/** Who is found: all users, those who share a conversation with the one who searches, nobody. */
export type DirectoryScope = "all" | "contacts" | "off";

export interface DirectoryOptions {
  readonly store: Pick<UserStore, "searchUsers">;
  readonly scope: DirectoryScope;
  /** Searches, for each user. */
  readonly rate: RateLimit;
}

/** Searches of one user under way, so that nobody fills the line in which all searches wait. */
const MAX_UNDER_WAY = 2;
/** Milliseconds after which who had too many under way may try again. */
const RETRY_AFTER = 1_000;

export class Directory {
  readonly #store: Pick<UserStore, "searchUsers">;
  readonly #scope: DirectoryScope;
  readonly #rate: RateLimit;
  /** By user, those who have any. */
  readonly #underWay = new Map<string, number>();

  constructor({ store, scope, rate }: DirectoryOptions) {
    this.#store = store;
    this.#scope = scope;
    this.#rate = rate;
  }

  /** For `userId`. @throws Refusal `rate_limited`, `unavailable` */
  async search(userId: string, text: string, limit: number): Promise<Profile[]> {
    this.#rate.spend(userId, "searches");
    if (this.#scope === "off") return [];
    const underWay = this.#underWay.get(userId) ?? 0;
    if (underWay >= MAX_UNDER_WAY) throw tooMany("searches under way", RETRY_AFTER);
    this.#underWay.set(userId, underWay + 1);
    try {
      const contactsOf = this.#scope === "contacts" ? userId : undefined;
      return await this.#store.searchUsers(text.normalize("NFC"), limit, contactsOf);
    } finally {
      const left = (this.#underWay.get(userId) ?? 1) - 1;
      if (left > 0) this.#underWay.set(userId, left);
      else this.#underWay.delete(userId);
    }
  }
}
