/** Where a request carries its token, and how to keep it out of the log. */
import type { IncomingHttpHeaders } from "node:http";

export interface FoundToken {
  readonly token: string;
  readonly source: "header" | "subprotocol" | "query" | "cookie";
}

/** What browsers, which cannot set headers on a WebSocket, ask for beside their token. */
const SUBPROTOCOL = "bearer";

/** The name of both the query parameter and the cookie. */
const TOKEN = "token";

/**
 * The token of a WebSocket handshake. The first place that has one decides: a bad token there is refused, and no other
 * is looked for.
 */
export function readToken(request: {
  readonly headers: IncomingHttpHeaders;
  readonly url?: string | undefined;
}): FoundToken | null {
  const { headers, url = "" } = request;
  return (
    found("header", readBearer(headers)) ??
    found("subprotocol", fromSubprotocols(headers["sec-websocket-protocol"])) ??
    found("query", queryOf(url).get(TOKEN)) ??
    found("cookie", fromCookies(headers.cookie))
  );
}

/** The token of an HTTP request, where a cookie would invite forgery and a query would end up in logs. RFC 6750, 2.1. */
export function readBearer(headers: IncomingHttpHeaders): string | null {
  return /^bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1] ?? null;
}

/** The answer to the subprotocols a client offers, as ws asks for it. The token offered beside it is not repeated. */
export function selectSubprotocol(offered: ReadonlySet<string>): typeof SUBPROTOCOL | false {
  return offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false;
}

/** The URL of a request as a log may show it. */
export function redactUrl(url: string): string {
  const start = url.indexOf("?");
  if (start === -1) return url;
  // By decoded name, as the token is read: `%74oken=` is `token=` too.
  const shown = url
    .slice(start + 1)
    .split("&")
    .map((part) => (new URLSearchParams(part).has(TOKEN) ? `${TOKEN}=[redacted]` : part));
  return `${url.slice(0, start)}?${shown.join("&")}`;
}

function found(source: FoundToken["source"], token: string | null | undefined): FoundToken | null {
  return token ? { token, source } : null;
}

function queryOf(url: string): URLSearchParams {
  const start = url.indexOf("?");
  return new URLSearchParams(start === -1 ? "" : url.slice(start + 1));
}

function fromSubprotocols(header: string | undefined): string | undefined {
  const offered = (header ?? "").split(",").map((name) => name.trim());
  const index = offered.indexOf(SUBPROTOCOL);
  return index === -1 ? undefined : offered[index + 1];
}

/** RFC 6265, 5.4: of several cookies of one name, the first has the more specific path. */
function fromCookies(header: string | undefined): string | undefined {
  for (const pair of (header ?? "").split(";")) {
    const equals = pair.indexOf("=");
    if (equals !== -1 && pair.slice(0, equals).trim() === TOKEN) return cookieValue(pair.slice(equals + 1).trim());
  }
  return undefined;
}

function cookieValue(raw: string): string {
  const value = /^"(.*)"$/.exec(raw)?.[1] ?? raw;
  try {
    return decodeURIComponent(value);
  } catch {
    // Percent signs that encode nothing: the value as it stands, which as a token will be refused.
    return value;
  }
}
