/** Something that a node says: a member is in a group. */
export interface RosterWord {
  readonly group: string;
  readonly member: string;
  /** What it was first said with. */
  readonly announced: boolean;
  /** How often it was said without failing; with the last of them the word goes. */
  claims: number;
}

/** What this node says, whether or not Redis knows. */
export class RosterWords {
  readonly #groups = new Map<string, Map<string, RosterWord>>();

  say(group: string, member: string, announced: boolean): RosterWord {
    const members = this.#groups.get(group) ?? new Map<string, RosterWord>();
    this.#groups.set(group, members);
    const word = members.get(member) ?? { group, member, announced, claims: 0 };
    members.set(member, word);
    word.claims += 1;
    return word;
  }

  /** Saying it failed: it goes unless it was said before or meanwhile, or has been taken back and said anew. */
  unsay(word: RosterWord): void {
    word.claims -= 1;
    const { group, member } = word;
    if (word.claims === 0 && this.#groups.get(group)?.get(member) === word) this.takeBack(group, member);
  }

  /** False when it was not said. */
  takeBack(group: string, member: string): boolean {
    const members = this.#groups.get(group);
    if (members === undefined || !members.delete(member)) return false;
    if (members.size === 0) this.#groups.delete(group);
    return true;
  }

  clear(): void {
    this.#groups.clear();
  }

  *[Symbol.iterator](): Generator<RosterWord> {
    for (const members of this.#groups.values()) yield* members.values();
  }
}
