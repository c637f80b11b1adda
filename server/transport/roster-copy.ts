/**
 * What this node knows of one room's roster: a copy that follows the roster's versions, and tells who came and went so that
 * it always adds up. What was lost on the way shows in a version that is ahead; then the roster is read again.
 */
import type { RosterChange, RosterList } from "../channel-layer/layer.ts";
import { usernameOf } from "./room-member.ts";
import type { Turns } from "./turns.ts";

export interface RosterCopyOptions {
  /** Rejects with `LayerUnavailable`. */
  readonly read: () => Promise<RosterList>;
  readonly tell: (username: string, present: boolean) => void;
  /** Where reading again waits for its turn. */
  readonly turns: Turns;
  readonly onRead: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** "starting": the roster's answer is awaited; what is heard meanwhile is kept. */
type State = "unfollowed" | "starting" | "following" | "closed";

/** "again": what is being read may be from before that which is to be found out. */
type Reading = "none" | "waiting" | "reading" | "again";

/** Changes kept while the roster's answer is awaited. */
const MAX_KEPT = 1_000;
/** Between two tries while the layer does not answer, or too late, in ms. */
const RETRY = 1_000;

export class RosterCopy {
  readonly #options: RosterCopyOptions;
  readonly #members = new Set<string>();
  /** How many of the members have a name: two, while somebody is renamed and another takes the old name. */
  readonly #names = new Map<string, number>();
  #state: State = "unfollowed";
  #version = 0;
  #kept: RosterChange[] = [];
  #started: Promise<void> = Promise.resolve();
  #reading: Reading = "none";
  #retry: NodeJS.Timeout | null = null;
  /** Runs until every node had the time to say its words again. Until then leaves are told to nobody. */
  #untilWhole: NodeJS.Timeout | null = null;

  constructor(options: RosterCopyOptions) {
    this.#options = options;
  }

  get isUnfollowed(): boolean {
    return this.#state === "unfollowed";
  }

  get isFollowing(): boolean {
    return this.#state === "following";
  }

  /** Settles as the join does that it was started with. */
  get started(): Promise<void> {
    return this.#started;
  }

  get usernames(): readonly string[] {
    return [...this.#names.keys()];
  }

  /** Everything that changes after `list` will be told. `onStart` is called in between. */
  follow(list: Promise<RosterList>, onStart: () => void = () => {}): void {
    this.#state = "starting";
    this.#started = list.then(
      (before) => this.#start(before, onStart),
      (error: unknown) => {
        if (this.#state === "starting") this.#state = "unfollowed";
        this.#kept = [];
        throw error;
      },
    );
  }

  /** Nothing is told any more, nor known. */
  unfollow(): void {
    if (this.#state === "closed") return;
    this.#state = "unfollowed";
    this.#kept = [];
    this.#members.clear();
    this.#names.clear();
    for (const timer of [this.#retry, this.#untilWhole]) if (timer !== null) clearTimeout(timer);
    this.#untilWhole = null;
  }

  hear(change: RosterChange): void {
    switch (this.#state) {
      case "starting":
        // With more, the first ones go, and leave a gap in the versions: the roster is read again.
        if (this.#kept.length >= MAX_KEPT) this.#kept = [];
        this.#kept.push(change);
        return;
      case "following":
        this.#apply(change);
        return;
      case "unfollowed":
      case "closed":
        return;
    }
  }

  /** The roster's version now, against that of the copy. */
  compare(version: number): void {
    if (this.#state === "following" && version > this.#version) this.reread();
  }

  reread(): void {
    switch (this.#reading) {
      case "none":
        this.#rereadInTurn();
        return;
      case "reading":
        this.#reading = "again";
        return;
      case "waiting":
      case "again":
        return;
    }
  }

  close(): void {
    this.#state = "closed";
    for (const timer of [this.#retry, this.#untilWhole]) if (timer !== null) clearTimeout(timer);
  }

  #start(list: RosterList, onStart: () => void): void {
    if (this.#state !== "starting") return;
    this.#state = "following";
    this.#version = list.version;
    for (const member of list.members) this.#add(member);
    this.#holdLeaves(list.wholeIn);
    onStart();
    for (const change of this.#kept.splice(0)) this.#apply(change);
  }

  #apply({ version, member, present }: RosterChange): void {
    if (version <= this.#version) return;
    if (version > this.#version + 1) {
      this.reread();
      return;
    }
    this.#version = version;
    if (present || this.#untilWhole === null) this.#set(member, present);
  }

  #set(member: string, present: boolean): void {
    if (this.#members.has(member) === present) return;
    const isNews = present ? this.#add(member) : this.#remove(member);
    if (isNews) this.#options.tell(usernameOf(member), present);
  }

  /** True where nobody of this name was here. */
  #add(member: string): boolean {
    this.#members.add(member);
    const name = usernameOf(member);
    const others = this.#names.get(name) ?? 0;
    this.#names.set(name, others + 1);
    return others === 0;
  }

  #remove(member: string): boolean {
    this.#members.delete(member);
    const name = usernameOf(member);
    const others = (this.#names.get(name) ?? 1) - 1;
    if (others > 0) this.#names.set(name, others);
    else this.#names.delete(name);
    return others === 0;
  }

  /** Whoever seems to have gone may be here by a node that has yet to say so; after `ms` the roster knows. */
  #holdLeaves(ms: number): void {
    if (this.#untilWhole !== null) clearTimeout(this.#untilWhole);
    this.#untilWhole = ms === 0 ? null : setTimeout(() => this.reread(), ms).unref();
  }

  #rereadInTurn(): void {
    const { turns, onRead, onFailed } = this.#options;
    this.#reading = "waiting";
    turns
      .take(() => this.#read())
      .then(
        () => {
          const isOver = this.#reading === "reading";
          this.#reading = "none";
          onRead();
          if (!isOver) this.#rereadInTurn();
        },
        (error: unknown) => {
          this.#reading = "none";
          onFailed(error);
          this.#rereadLater();
        },
      );
  }

  #rereadLater(): void {
    if (this.#state === "closed") return;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.reread(), RETRY).unref();
  }

  async #read(): Promise<void> {
    this.#reading = "reading";
    if (this.#state !== "following") return;
    const list = await this.#options.read();
    if (this.#state !== "following") return;
    // What was heard while the list was on its way is newer than it, but says nothing of who went unnoticed.
    if (list.version < this.#version) this.#rereadLater();
    else this.#take(list);
  }

  #take(list: RosterList): void {
    this.#version = list.version;
    const present = new Set(list.members);
    for (const member of present) this.#set(member, true);
    this.#holdLeaves(list.wholeIn);
    // A list that was cut says nothing of who is not on it.
    if (list.wholeIn > 0 || list.total > present.size) return;
    for (const member of this.#members) if (!present.has(member)) this.#set(member, false);
  }
}
