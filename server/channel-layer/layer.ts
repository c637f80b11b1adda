/**
 * How nodes hear of each other: named groups, and a lease-held roster of who is in them. Two implementations (memory,
 * Redis), one contract suite. The layer knows no conversation and no user: groups, members and payloads are strings.
 *
 * It promises little on purpose. A published payload may be lost, doubled or reordered; whoever needs more keeps the
 * truth elsewhere and listens for `onReset`.
 */
export interface ChannelLayer {
  /** Distinguishes this node from every other that ever joined the layer. */
  readonly nodeId: string;

  /**
   * Hands `payload` to every other node that is subscribed to `group`; never to this one. Fire and forget: it neither
   * blocks nor throws. When it could not be handed over, `onPublishFailed` handlers hear of the group.
   * `payload` is a function because a layer without other nodes never calls it.
   */
  publish(group: string, payload: () => string): void;

  /** Resolves when every payload published from now on will be heard here. Rejects with `LayerUnavailable`. */
  subscribe(groups: readonly string[]): Promise<void>;
  /** Nothing of these groups is heard afterwards. Never throws: while the layer is away there is nothing to hear. */
  unsubscribe(groups: readonly string[]): void;

  onMessage(handler: (group: string, payload: string) => void): void;
  /** Something came on the group that no node of this version says: another version of one, perhaps, said something. */
  onUnreadable(handler: (group: string) => void): void;
  /** The subscription was interrupted and is whole again: anything may have been missed. */
  onReset(handler: () => void): void;
  onPublishFailed(handler: (group: string) => void): void;

  readonly roster: Roster;

  /** Resolves when the layer answers. Rejects with `LayerUnavailable`. */
  ping(): Promise<void>;
  /** Gives up this node's places in every roster (the others hear of it), then disconnects. */
  close(): Promise<void>;
}

/**
 * Who is in a group, over all nodes. A member is there while at least one node says so; each node's word is a lease
 * that the node renews (once for all its members) and that runs out within `LEASE_SECONDS` of its death.
 *
 * With `announced`, the group has a version that grows by one with each member who comes or goes, and every node that is
 * subscribed to the group (this one too) hears of each through `onChange`, in the order of versions unless the layer
 * lost some. A store that lost its rosters goes on with versions above all that any node knows.
 */
export interface Roster {
  /** Adds this node's word for `member`. Repeating it changes nothing. */
  join(group: string, member: string, options: { announced: boolean; listed: number }): Promise<RosterJoin>;
  /** Takes this node's word back. Never throws: what cannot be said now is said when the layer is back. */
  leave(group: string, member: string, options: { announced: boolean }): void;
  /** At most `listed` of the members now. Rejects with `LayerUnavailable`. */
  list(group: string, listed: number): Promise<RosterList>;
  has(group: string, member: string): Promise<boolean>;
  /**
   * The version of each group, in their order: one command for each 1,000. Only for groups whose members are announced.
   * Rejects with `LayerUnavailable`.
   */
  versions(groups: readonly string[]): Promise<number[]>;
  onChange(handler: (change: RosterChange) => void): void;
}

export interface RosterList {
  /** In no order; all of them, unless there are more than were asked for. */
  readonly members: readonly string[];
  readonly total: number;
  readonly version: number;
  /**
   * Ms until every node has had the time to say its words again, after the store had lost them; otherwise 0. Until then
   * somebody who is not in the list, or of whom a leaving is heard, may be here by a node that has yet to say so.
   */
  readonly wholeIn: number;
}

export interface RosterJoin {
  /** The group just before this call. */
  readonly before: RosterList;
  /** False when some node, this one included, had already said so. */
  readonly isNew: boolean;
}

export interface RosterChange {
  readonly group: string;
  readonly member: string;
  readonly present: boolean;
  readonly version: number;
}

/** How long a dead node's members stay: refreshed every third of it, swept by the others. */
export const LEASE_SECONDS = 9;

export class LayerUnavailable extends Error {
  override readonly name = "LayerUnavailable";
}
