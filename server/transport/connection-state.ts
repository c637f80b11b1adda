/** Where a connection stands between its upgrade and its end. */
export type ConnectionState =
  /** Frames are sent; those received wait for `opened`. */
  | { readonly name: "opening" }
  | { readonly name: "open" }
  /** Frames are sent; those that come are not looked at. `finished`: to be called when those that came are done with. */
  | { readonly name: "leaving"; readonly finished: () => void }
  /**
   * Nothing is sent or handed over any more; at the deadline the socket is cut. `ignored`: frames that came since, on the
   * way to the peer's close frame.
   */
  | { readonly name: "closing"; readonly deadline: NodeJS.Timeout; ignored: number }
  | { readonly name: "closed" };

// One of each for all connections: an idle one holds no object of its own for this.
export const opening: ConnectionState = { name: "opening" };
export const open: ConnectionState = { name: "open" };
export const closed: ConnectionState = { name: "closed" };

export function maySend({ name }: ConnectionState): boolean {
  switch (name) {
    case "opening":
    case "open":
    case "leaving":
      return true;
    case "closing":
    case "closed":
      return false;
  }
}

/** More frames than a peer may have had under way when our close frame came to it. */
const MAX_IGNORED_FRAMES = 10_000;

/** Counts a frame that came instead of the peer's close frame; whether there were too many to go on looking for it. */
export function isFlooded(closing: { ignored: number }): boolean {
  closing.ignored += 1;
  return closing.ignored > MAX_IGNORED_FRAMES;
}
