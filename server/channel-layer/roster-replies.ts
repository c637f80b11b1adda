import type { RosterList } from "./layer.ts";

/** What the roster's scripts answer. Versions come as text: they are beyond what Redis turns into a number without loss. */
export type OpenReply = [wordsKept: number, life: string];
export type ListReply = [birth: string, total: number, version: string, wholeIn: number, members: string[]];
export type JoinReply = [isNew: number, ...list: ListReply];

/** What Redis held of this node when a session began. */
export type WordsBefore = "kept" | "forgotten";

export function toRosterList([, total, version, wholeIn, members]: ListReply): RosterList {
  return { members, total, version: Number(version), wholeIn };
}
