/** Something that a node says: a member is in a group. */
export interface RosterWord {
  readonly group: string;
  readonly member: string;
  /** What it was first said with. */
  readonly announced: boolean;
  /** How often it was said without failing; with the last of them the word goes. */
  claims: number;
}

interface Group {
  readonly members: Map<string, RosterWord>;
  /** Of the group's key in Redis that these words were said in; null until Redis has answered. */
  birth: string | null;
}

/** What this node says, whether or not Redis knows. */
export class RosterWords {
  readonly #groups = new Map<string, Group>();

  get groups(): readonly string[] {
    return [...this.#groups.keys()];
  }

  say(group: string, member: string, announced: boolean): RosterWord {
    const { members } = this.#group(group);
    const word = members.get(member) ?? { group, member, announced, claims: 0 };
    members.set(member, word);
    word.claims += 1;
    return word;
  }

  /** Saying it failed: it goes unless it was said before or meanwhile, or has been taken back and said anew. */
  unsay(word: RosterWord): boolean {
    word.claims -= 1;
    const { group, member } = word;
    return word.claims === 0 && this.#groups.get(group)?.members.get(member) === word && this.takeBack(group, member);
  }

  /** False when it was not said. */
  takeBack(group: string, member: string): boolean {
    const known = this.#groups.get(group);
    if (known === undefined || !known.members.delete(member)) return false;
    if (known.members.size === 0) this.#groups.delete(group);
    return true;
  }

  has(group: string, member: string): boolean {
    return this.#groups.get(group)?.members.has(member) ?? false;
  }

  /** These words were said in the key of this birth. */
  saidIn(group: string, birth: string): void {
    const known = this.#groups.get(group);
    if (known !== undefined) known.birth = birth;
  }

  /** Whether the key in which the words were said is another one by now, or none. */
  isLost(group: string, birth: string): boolean {
    const known = this.#groups.get(group)?.birth ?? null;
    return known !== null && known !== birth;
  }

  of(group: string): readonly RosterWord[] {
    return [...(this.#groups.get(group)?.members.values() ?? [])];
  }

  clear(): void {
    this.#groups.clear();
  }

  *[Symbol.iterator](): Generator<RosterWord> {
    for (const { members } of this.#groups.values()) yield* members.values();
  }

  #group(name: string): Group {
    const group = this.#groups.get(name) ?? { members: new Map(), birth: null };
    this.#groups.set(name, group);
    return group;
  }
}
