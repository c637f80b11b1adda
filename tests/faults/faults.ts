/** Counts of what is wrong. */
export interface Faults {
  /** Acknowledged, and not in the database. */
  readonly lost: number;
  /** Never acknowledged, although sent again and again. */
  readonly unanswered: number;
  /** Acknowledged under an id or number that the database does not have for it. */
  readonly falselyAcknowledged: number;
  /** Changes that a socket in the conversation was not told, for each socket. */
  readonly undelivered: number;
  /** Stored twice, or told twice to a socket. */
  readonly doubled: number;
  /** Told to a socket after one with a higher number. */
  readonly outOfOrder: number;
  /** Stored and never sent; told and not stored like that; told to somebody who is not in the conversation. */
  readonly strangers: number;
  /** Badges that differ from a recount. */
  readonly wrongBadges: number;
  /** Rooms, for each socket and for a fresh one on each node, where the people online differ from those connected. */
  readonly wrongPresence: number;
  /** Leaves told of people who were connected throughout. */
  readonly falseLeaves: number;
  /** Dates outside of the test's own time by the database's clock, or earlier than that of the number before. */
  readonly wrongDates: number;
  /** Lines that are not open: a bare socket that was closed, a client that has not come back. */
  readonly closed: number;
  /** 1 when there was no look before the deadline at which all was right. */
  readonly late: number;
}

export const noFaults: Faults = {
  lost: 0,
  unanswered: 0,
  falselyAcknowledged: 0,
  undelivered: 0,
  doubled: 0,
  outOfOrder: 0,
  strangers: 0,
  wrongBadges: 0,
  wrongPresence: 0,
  falseLeaves: 0,
  wrongDates: 0,
  closed: 0,
  late: 0,
};
