/** Where the server is and who asks: what sockets and HTTP have in common. */
export interface ServerOptions {
  /** `https://chat.example`, with a path where the server stands behind one. In a browser without it: the page's origin. */
  url?: string | URL | undefined;
  /**
   * The token of the user, asked for anew before each attempt and request. `refresh`: the last one has expired or was
   * refused, so a kept one will not do. A rejection counts as a failed attempt, and so does no answer in time. Connections
   * with the same function share what it gives: it is called for one of them at a time, and without a `this`.
   */
  getToken(request: { refresh: boolean }): string | Promise<string>;
  /** In place of the global one. */
  fetch?: typeof globalThis.fetch | undefined;
}

/** Of the page, or of the worker; undefined where there is neither, as on Node. */
const pageOrigin = () => (globalThis as { location?: { origin?: string } }).location?.origin;

/**
 * `path` at the server, for HTTP.
 *
 * @throws TypeError saying what is wrong with `url`, or that there is none and no page either
 */
export function urlOf({ url }: Pick<ServerOptions, "url">, path: string): URL {
  const given = url ?? pageOrigin();
  if (given === undefined) throw new TypeError("url: there is no page whose origin could be taken");
  let base: URL;
  try {
    base = new URL(given);
    // Where sockets are is where HTTP is.
    if (/^wss?:$/.test(base.protocol)) base.protocol = base.protocol.replace("ws", "http");
  } catch {
    throw new TypeError(`url: expected one such as https://chat.example, got ${given}`);
  }
  const target = /^https?:$/.test(base.protocol) ? new URL(base.pathname.replace(/\/$/, "") + path, base) : null;
  if (target?.host !== base.host) throw new TypeError(`url: expected https: or http: and a host, got ${given}`);
  return target;
}

/** The same for a WebSocket. `query`: such as `since=7`; empty for none. */
export function socketUrlOf(options: Pick<ServerOptions, "url">, path: string, query: string): string {
  const url = urlOf(options, path);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = query;
  return url.href;
}

/** The page is of another origin than the server: of what fails between them a browser tells it nothing. */
export function isOtherOrigin(options: Pick<ServerOptions, "url">): boolean {
  const origin = pageOrigin();
  return origin !== undefined && origin !== urlOf(options, "/").origin;
}

/**
 * A name as one segment of a path.
 *
 * @throws TypeError for what cannot be one: every URL parser takes `.` and `..` for steps in the path, encoded or not
 */
export function segment(name: string): string {
  if (!/^\.{0,2}$/.test(name) && !isTorn(name)) return encodeURIComponent(name);
  throw new TypeError(`expected a name, got ${JSON.stringify(name)}`);
}

/** Half a surrogate pair is no text: it cannot be encoded. */
function isTorn(name: string): boolean {
  return /\p{Surrogate}/u.test(name);
}
