/**
 * What things cost, in units of work, of which a user has COMMAND_RATE a second and COMMAND_BURST at once on each node. One
 * is about a small frame: reading and checking it, and a row that shares its commit with others. What asks storage alone is
 * dearer; what reads or writes pages of rows dearer still. They are estimates: what matters is that nothing is free.
 */
export const costs = {
  /** A frame of any kind, whether or not anything can be made of it; also a WebSocket ping or pong. */
  frame: 1,
  /** A question or change of one thing: one to three statements of its own. */
  statement: 2,
  /**
   * A read mark: a transaction of its own where nothing else is written. As many a second as one other person may send are
   * below the rate.
   */
  read: 4,
  /** Whether somebody is online: a query for the right to know, a command of the channel layer, a query for when they left. */
  status: 3,
  /** Finding or making a conversation, a search: statements that touch indexes all over. */
  lookup: 5,
  /** Opening a socket: who speaks, the roster, what is unread, the first frames. */
  opening: 5,
  /** A page of history or a list of conversations: many rows, and many bytes to encode. */
  page: 10,
  /** Everything that was missed, or all rooms with their members: pages of rows in a row. */
  catchup: 20,
} as const;

/** A frame's bytes cost too, since they are parsed and checked before anything is known of it. UTF-16 units. */
const UNITS_OF_TEXT = 8_192;

/** Of a frame by its length alone, in UTF-16 units. */
export function costOfFrame(length: number): number {
  return costs.frame + Math.floor(length / UNITS_OF_TEXT);
}
