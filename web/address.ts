/**
 * What the address of the page says: the room, `#/bob`; and once, when somebody comes by a link, a token or the secret of a
 * server in development, `#token=<jwt>` and `#dev=<secret>`, each with `&room=<room>` where it leads to one. Behind the hash no
 * server and no proxy sees them, and they are taken out at once, so that nobody copies or bookmarks them.
 */

export interface Handed {
  readonly token: string | null;
  readonly developmentSecret: string | null;
}

/** @param room where the address leads to when what it hands names none; null for none */
export function takeHanded(room: string | null): Handed {
  const address = new URL(location.href);
  const inHash = new URLSearchParams(address.hash.startsWith("#/") ? "" : address.hash.slice(1));
  const handed = {
    // In the query it was in the logs of everybody on its way. It is taken as a link that hands it: with the same question.
    token: inHash.get("token") || address.searchParams.get("token") || null,
    developmentSecret: inHash.get("dev") || null,
  };
  const isInHash = inHash.has("token") || inHash.has("dev");
  if (!isInHash && !address.searchParams.has("token")) return handed;
  address.searchParams.delete("token");
  if (isInHash) address.hash = hashOf(inHash.get("room") || room);
  history.replaceState(null, "", address);
  return handed;
}

/** A username or the id of a conversation; null for none. */
export function roomOfAddress(): string | null {
  const encoded = /^#\/(.+)$/.exec(location.hash)?.[1];
  if (encoded === undefined) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    // A stray percent sign: what stands there is the name.
    return encoded;
  }
}

export function hashOf(room: string | null): string {
  return room === null ? "" : `#/${encodeURIComponent(room)}`;
}
