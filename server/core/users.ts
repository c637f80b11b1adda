/** People: known by what their token or the back end says of them. */
import { Refusal } from "./errors.ts";
import type { Profile } from "./model.ts";
import type { UserStore } from "./store.ts";

/** What is said of a user; what is left out stays as it was. */
export interface Claims {
  readonly id: string;
  readonly username?: string | undefined;
  readonly name?: string | undefined;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  readonly avatar?: string | null | undefined;
}

export class Users {
  readonly #store: UserStore;
  readonly #isUsername: (text: string) => boolean;

  constructor(store: UserStore, isUsername: (text: string) => boolean) {
    this.#store = store;
    this.#isUsername = isUsername;
  }

  /**
   * The profile behind the claims: stored at first sight, and again whenever they say something new.
   *
   * @throws Refusal `conflict`: the username is another user's or a conversation's id. `invalid_frame`: a new user
   * without a username, whose id cannot serve as one. `unavailable`.
   */
  async identify(claims: Claims): Promise<Profile> {
    const stored = await this.#store.user(claims.id);
    const profile = this.#merge(claims, stored);
    if (stored !== null && isSame(stored, profile)) return stored;
    if ((await this.#store.putUser(profile)) === "taken") {
      throw new Refusal("conflict", `the username ${profile.username} is taken`);
    }
    return profile;
  }

  async user(id: string): Promise<Profile | null> {
    return this.#store.user(id);
  }

  /** When a socket of theirs last closed; null when none has. */
  lastSeen(id: string): Promise<string | null> {
    return this.#store.lastSeen(id);
  }

  search(text: string, limit: number): Promise<Profile[]> {
    return this.#store.searchUsers(text, limit);
  }

  #merge(claims: Claims, stored: Profile | null): Profile {
    const username = claims.username ?? stored?.username ?? claims.id;
    if (!this.#isUsername(username)) {
      throw new Refusal("invalid_frame", "the user id cannot serve as a username, and no username is given");
    }
    const firstName = claims.firstName ?? stored?.firstName ?? "";
    const lastName = claims.lastName ?? stored?.lastName ?? "";
    // A name that was made up from the other fields follows them.
    const given = stored !== null && stored.name !== nameFrom(stored) ? stored.name : undefined;
    return {
      id: claims.id,
      username,
      name: claims.name ?? given ?? nameFrom({ username, firstName, lastName }),
      firstName,
      lastName,
      avatar: claims.avatar === undefined ? (stored?.avatar ?? null) : claims.avatar,
    };
  }
}

/** For who has no name of their own. */
function nameFrom({ username, firstName, lastName }: Pick<Profile, "username" | "firstName" | "lastName">): string {
  const fullName = [firstName, lastName].filter((part) => part !== "").join(" ");
  return fullName === "" ? username : fullName;
}

function isSame(one: Profile, other: Profile): boolean {
  return (
    one.username === other.username &&
    one.name === other.name &&
    one.firstName === other.firstName &&
    one.lastName === other.lastName &&
    one.avatar === other.avatar
  );
}
