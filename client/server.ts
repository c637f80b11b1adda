/** Where the server is and who asks: what sockets and HTTP have in common. */
export interface ServerOptions {
  /** `https://chat.example`, with a path where the server stands behind one. In a browser without it: the page's origin. */
  url?: string | URL | undefined;
  /**
   * The token of the user, asked for anew before each attempt and request. `refresh`: the last one has expired or was
   * refused, so a kept one will not do. A rejection counts as a failed attempt.
   */
  getToken(request: { refresh: boolean }): string | Promise<string>;
  /** In place of the global one. */
  fetch?: typeof globalThis.fetch | undefined;
}

/**
 * `path` at the server.
 *
 * @throws TypeError where there is no `url` and no page either
 */
export function urlOf({ url }: Pick<ServerOptions, "url">, path: string): URL {
  const base = url ?? (globalThis as { location?: { origin?: string } }).location?.origin;
  if (base === undefined) throw new TypeError("url: there is no page whose origin could be taken");
  return new URL(new URL(base).pathname.replace(/\/$/, "") + path, base);
}
