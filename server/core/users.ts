/** People: known by what their token or the back end says of them. */
import { Refusal } from "./errors.ts";
import type { Profile } from "./model.ts";
import { shownName } from "./names.ts";
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
  readonly #onChanged: (profile: Profile) => void;

  /** `onChanged`: somebody who was known is stored with another profile now. */
  constructor(
    store: UserStore,
    isUsername: (text: string) => boolean,
    onChanged: (profile: Profile) => void = () => {},
  ) {
    this.#store = store;
    this.#isUsername = isUsername;
    this.#onChanged = onChanged;
  }

  /**
   * The profile behind the claims: stored at first sight, and again whenever they say something new.
   *
   * @throws Refusal `conflict`: the username is another user's, or their id, or a new user's id is another's username.
   * `invalid_frame`: a name that nobody may take, or a new user without a username, whose id cannot serve as one.
   * `unavailable`.
   */
  async identify(claims: Claims): Promise<Profile> {
    const stored = await this.#store.user(claims.id);
    const profile = this.#merge(claims, stored);
    if (stored !== null && isSameProfile(stored, profile)) return stored;
    if ((await this.#store.putUser(profile)) === "taken") {
      throw new Refusal("conflict", `the username ${profile.username}, or the id, is another user's name`);
    }
    if (stored !== null) this.#onChanged(profile);
    return profile;
  }

  async user(id: string): Promise<Profile | null> {
    return this.#store.user(id);
  }

  /** When a socket of theirs last closed; null when none has. */
  lastSeen(id: string): Promise<string | null> {
    return this.#store.lastSeen(id);
  }

  #merge(claims: Claims, stored: Profile | null): Profile {
    const username = this.#username(claims, stored);
    const firstName = mergedName("first_name", claims.firstName, stored?.firstName) ?? "";
    const lastName = mergedName("last_name", claims.lastName, stored?.lastName) ?? "";
    // A name that was made up from the other fields follows them.
    const given = stored !== null && stored.name !== nameFrom(stored) ? stored.name : undefined;
    const name = mergedName("name", claims.name, given);
    return {
      id: claims.id,
      username,
      // Everybody has a name to be shown by, so that an empty one says nothing.
      name: name || nameFrom({ username, firstName, lastName }),
      firstName,
      lastName,
      avatar: claims.avatar === undefined ? (stored?.avatar ?? null) : claims.avatar,
    };
  }

  /** A name that is stored is kept, also where the rule for new ones would refuse it. */
  #username(claims: Claims, stored: Profile | null): string {
    const claimed = (claims.username ?? stored?.username ?? claims.id).normalize("NFC");
    if (stored?.username.normalize("NFC") === claimed) return stored.username;
    if (this.#isUsername(claimed)) return claimed;
    throw new Refusal(
      "invalid_frame",
      claims.username === undefined
        ? "the user id cannot serve as a username, and no username is given"
        : "username: expected one that cannot be mistaken for another; see the rule of usernames",
    );
  }
}

/** What is said, where it is new; what is stored is kept as it is. */
function mergedName(field: string, said: string | undefined, stored: string | undefined): string | undefined {
  return said === undefined || said === stored ? stored : shownName(field, said.trim());
}

/** For who has no name of their own. */
function nameFrom({ username, firstName, lastName }: Pick<Profile, "username" | "firstName" | "lastName">): string {
  const fullName = [firstName, lastName].filter((part) => part !== "").join(" ");
  return fullName === "" ? username : fullName;
}

/** Whether what is told of one person is the same. */
export function isSameProfile(one: Profile, other: Profile): boolean {
  return (
    one.username === other.username &&
    one.name === other.name &&
    one.firstName === other.firstName &&
    one.lastName === other.lastName &&
    one.avatar === other.avatar
  );
}
