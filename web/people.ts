/** What is known of people: frames say usernames, HTTP says who they are. */
import { signal } from "@preact/signals";
import type { ProfileBody } from "../client/index.ts";

export class People {
  readonly #profiles = signal<ReadonlyMap<string, ProfileBody>>(new Map());
  readonly me: ProfileBody;

  constructor(me: ProfileBody) {
    this.me = me;
    this.learn([me]);
  }

  learn(profiles: readonly ProfileBody[]): void {
    const known = this.#profiles.peek();
    const news = profiles.filter((profile) => {
      const before = known.get(profile.username);
      return before === undefined || before.name !== profile.name || before.avatar !== profile.avatar;
    });
    if (news.length === 0) return;
    this.#profiles.value = new Map([...known, ...news.map((profile) => [profile.username, profile] as const)]);
  }

  /** By user id; null of somebody who is not known. */
  nameOfId(id: string): string | null {
    const profile = [...this.#profiles.peek().values()].find((known) => known.id === id);
    return profile === undefined ? null : displayName(profile);
  }

  isMe(username: string): boolean {
    return username === this.me.username;
  }

  /** How a person is called: by their name, where they have one. */
  nameOf(username: string): string {
    return displayName(this.#profiles.value.get(username) ?? { username, name: "" });
  }

  avatarOf(username: string): string | null {
    return this.#profiles.value.get(username)?.avatar ?? null;
  }
}

/** The picture of a person, for an avatar. */
export function imageOf(people: People, username: string) {
  return { url: people.avatarOf(username), source: { kind: "person", username } } as const;
}

export function displayName({ name, username }: Pick<ProfileBody, "name" | "username">): string {
  return name === "" ? username : name;
}
