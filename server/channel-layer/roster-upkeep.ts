/**
 * What a node does for its words in Redis besides saying them: finds keys that were lost, says its words in them again, and
 * has those live on that are there.
 */
import { Outage } from "../core/outage.ts";
import { LEASE_SECONDS } from "./layer.ts";
import type { LayerLog } from "./redis-connection.ts";
import { type RosterScript, rosterScripts } from "./roster-scripts.ts";
import type { RosterWord, RosterWords } from "./roster-words.ts";

const LEASE_MS = LEASE_SECONDS * 1_000;

/** Words in one run of a script: Redis is held up for a millisecond or two, not for longer. */
const WORDS_IN_ONE_SCRIPT = 200;
export const GROUPS_IN_ONE_SCRIPT = 1_000;
/** Groups that are tended at each renewal: all of them within so many renewals, a quarter of an hour. */
const RENEWALS_FOR_ALL = 300;
const TENDED_AT_LEAST = 50;
/** After a group's key was found lost: until each node has found it too, in ms, as each compares with its renewals. */
const HEALING_MS = LEASE_MS / 3 + 1_500;

export interface RosterUpkeepOptions {
  readonly words: RosterWords;
  readonly speak: <Reply>(script: RosterScript, session: number, args: readonly (string | number)[]) => Promise<Reply>;
  readonly log: LayerLog;
  readonly outage: Outage;
}

export class RosterUpkeep {
  readonly #options: RosterUpkeepOptions;
  /** Groups whose key was lost → when every node should have said its words in it again, in ms. */
  readonly #healing = new Map<string, number>();
  /** Words taken back that Redis may still have, by group and member: a session begins by taking them back. */
  readonly #owed = new Map<string, readonly [group: string, member: string]>();
  /** Groups still to be tended in this round. */
  #untended: string[] = [];

  constructor(options: RosterUpkeepOptions) {
    this.#options = options;
  }

  owe(group: string, member: string): void {
    this.#owed.set(`${group.length}:${group}${member}`, [group, member]);
  }

  /** What is said anew since goes to Redis after it. */
  async takeBackOwed(session: number): Promise<void> {
    const owed = [...this.#owed];
    const runs = inRuns(owed, WORDS_IN_ONE_SCRIPT).map((some) =>
      this.#options.speak(
        rosterScripts.leave,
        session,
        some.flatMap(([, word]) => word),
      ),
    );
    await Promise.all(runs);
    for (const [key] of owed) this.#owed.delete(key);
  }

  /** With every renewal. */
  async keep(session: number): Promise<void> {
    await this.#findLost(session);
    await this.#tend(session);
  }

  /** Read and sent in one go, so that a leave during it comes after what it takes back. */
  async say(session: number, said: Iterable<RosterWord>): Promise<void> {
    const runs: Promise<void>[] = [];
    for (const words of inRuns(said, WORDS_IN_ONE_SCRIPT)) {
      const args = words.flatMap(({ group, member, announced }) => [group, member, flag(announced)]);
      const run = this.#options.speak<string[]>(rosterScripts.say, session, args).then((births) => {
        for (const [index, birth] of births.entries()) this.#options.words.saidIn(words[index]?.group ?? "", birth);
      });
      runs.push(run);
    }
    await Promise.all(runs);
  }

  /**
   * Ms until a group's roster can be believed. `birth` is that of the key it was read from: if it is not the one in which this
   * node said its words, that was lost, and this one may lack what was said in it.
   */
  wholeIn(group: string, birth: string, session: number | null): number {
    const { words, outage } = this.#options;
    if (session !== null && words.isLost(group, birth) && !this.#healing.has(group)) {
      this.#heal(session, [group]).catch((err: unknown) => outage.fails({ err }));
    }
    return Math.max(0, (this.#healing.get(group) ?? 0) - Date.now());
  }

  /** Even where others have begun a new key. */
  async #findLost(session: number): Promise<void> {
    const { words, speak } = this.#options;
    for (const groups of inRuns(words.groups, GROUPS_IN_ONE_SCRIPT)) {
      const births = await speak<string[]>(rosterScripts.births, session, groups);
      const lost = groups.filter((group, index) => words.isLost(group, births[index] ?? ""));
      if (lost.length > 0) await this.#heal(session, lost);
    }
  }

  async #heal(session: number, groups: readonly string[]): Promise<void> {
    const { words, log } = this.#options;
    log.warn({ groups: groups.length }, "keys of the roster were lost from Redis: this node says its words again");
    const until = Date.now() + HEALING_MS;
    for (const group of groups) this.#healing.set(group, until);
    await this.say(
      session,
      groups.flatMap((group) => words.of(group)),
    );
  }

  async #tend(session: number): Promise<void> {
    const { words, speak } = this.#options;
    const now = Date.now();
    for (const [group, until] of this.#healing) if (until < now) this.#healing.delete(group);
    if (this.#untended.length === 0) this.#untended = [...words.groups];
    const count = Math.max(TENDED_AT_LEAST, Math.ceil(words.groups.length / RENEWALS_FOR_ALL));
    const groups = this.#untended.splice(-count);
    if (groups.length > 0) await speak(rosterScripts.tend, session, [LEASE_MS, ...groups]);
  }
}

export function rosterOutage(log: LayerLog): Outage {
  return new Outage({
    log,
    begins: "the roster in Redis could not be kept; trying further",
    ends: "the roster in Redis is kept again",
  });
}

/** A step takes some back from `cursor` on, about `count`, and answers with the next cursor: "0" at the end. */
export async function takeBackAll(step: (cursor: string, count: number) => Promise<string>): Promise<void> {
  let cursor = "0";
  do cursor = await step(cursor, WORDS_IN_ONE_SCRIPT);
  while (cursor !== "0");
}

export function flag(announced: boolean): "1" | "0" {
  return announced ? "1" : "0";
}

export function inRuns<T>(items: Iterable<T>, length: number): T[][] {
  const all = [...items];
  const runs: T[][] = [];
  for (let from = 0; from < all.length; from += length) runs.push(all.slice(from, from + length));
  return runs;
}
