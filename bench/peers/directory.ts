/** Who there is and where they talk, in the memory of the process. A user's id is their name here. */

export interface User {
  readonly name: string;
  /** Messages of others in the user's rooms: a peer knows no reading. */
  unread: number;
}

export interface Room {
  /** Its name in storage: a group's id, or both names of a direct conversation. */
  readonly key: string;
  readonly members: readonly User[];
  /** The number of its newest message; 0 before the first. A peer begins on an empty database. */
  seq: number;
  /** Settles with the last of its messages that are being stored. */
  stored: Promise<void>;
}

export class Directory {
  readonly #users = new Map<string, User>();
  readonly #groups = new Map<string, Room>();
  readonly #pairs = new Map<string, Room>();

  /** Made when first asked for. */
  user(name: string): User {
    const known = this.#users.get(name);
    if (known !== undefined) return known;
    const user = { name, unread: 0 };
    this.#users.set(name, user);
    return user;
  }

  /** `members`: their names, each once. */
  createGroup(id: string, members: ReadonlySet<string>): Room {
    const users = Array.from(members, (name) => this.user(name));
    const group = newRoom(id, users);
    this.#groups.set(id, group);
    return group;
  }

  /** What `user` calls `name`: a group of theirs by its id, else the direct conversation with the user of that name. */
  room(user: User, name: string): Room | null {
    const group = this.#groups.get(name);
    if (group !== undefined) return group.members.includes(user) ? group : null;
    const other = this.user(name);
    // A blank is in no name.
    const key = user.name < name ? `${user.name} ${name}` : `${name} ${user.name}`;
    const known = this.#pairs.get(key);
    if (known !== undefined) return known;
    const pair = newRoom(key, user === other ? [user] : [user, other]);
    this.#pairs.set(key, pair);
    return pair;
  }

  /** Resolves when every message that was posted is stored. */
  async settled(): Promise<void> {
    await Promise.all([...this.#groups.values(), ...this.#pairs.values()].map((room) => room.stored));
  }
}

function newRoom(key: string, members: readonly User[]): Room {
  return { key, members, seq: 0, stored: Promise.resolve() };
}
