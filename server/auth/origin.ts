/** Which web pages may open sockets here: browsers send cookies along whoever asks (cross-site WebSocket hijacking). */
import type { IncomingHttpHeaders } from "node:http";

export type AllowedOrigins =
  | { readonly kind: "same_origin" }
  | { readonly kind: "any" }
  /** Each as `parseOrigin` gives it. */
  | { readonly kind: "listed"; readonly origins: ReadonlySet<string> };

/**
 * An origin in one spelling (`https://app.example`: lower case, no default port, no trailing slash), or null when it is
 * none. Not `URL.origin`, which says "null" for the schemes of app shells such as `capacitor://localhost`.
 */
export function parseOrigin(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { protocol, host, pathname, search, hash, username, password } = new URL(text);
  const isBare = (pathname === "" || pathname === "/") && search + hash + username + password === "";
  return isBare && host !== "" ? `${protocol}//${host}` : null;
}

/**
 * A request without `Origin` comes from no web page and is let in: whoever writes their own client can write any header.
 * The opaque origin `null` (sandboxed frames, files) is nobody's, hence foreign.
 *
 * Same origin compares host and port with the `Host` header, but not the scheme: behind a proxy that ends TLS the page is
 * https where this server sees http. `X-Forwarded-Host` is not looked at: anybody may send it, and a proxy that does not
 * hand on `Host` is what ALLOWED_ORIGINS is for.
 */
export function checkOrigin(request: { readonly headers: IncomingHttpHeaders }, allowed: AllowedOrigins): boolean {
  const { origin: header, host } = request.headers;
  if (header === undefined || allowed.kind === "any") return true;
  const origin = parseOrigin(header);
  if (origin === null) return false;
  switch (allowed.kind) {
    case "listed":
      return allowed.origins.has(origin);
    case "same_origin":
      // With the origin's scheme before it, so that `app.example:443` is the host of `https://app.example`.
      return host !== undefined && parseOrigin(`${new URL(origin).protocol}//${host}`) === origin;
  }
}

/**
 * Whether a cookie that comes with this request may be a token. With `*` any page may open sockets, but only those of the same
 * origin with the cookie, which browsers send along without asking anybody.
 */
export function mayUseCookie(request: { readonly headers: IncomingHttpHeaders }, allowed: AllowedOrigins): boolean {
  return allowed.kind !== "any" || checkOrigin(request, { kind: "same_origin" });
}
