import { type CloseReason, isFinal, UNAUTHORIZED } from "./close-codes.ts";
import { isOtherOrigin, type ServerOptions, urlOf } from "./server.ts";

/** Why a handshake failed, and what to change. */
export interface Refusal extends CloseReason {
  /** It may have been the token: there was no way to find out. */
  readonly isBlind: boolean;
}

/** What a developer or operator can do about an HTTP status in place of a socket. */
const ADVICE: Readonly<Record<number, string>> = {
  401: "the token was refused",
  403: "the server refused this origin: name it in ALLOWED_ORIGINS",
  404: "there is no such socket: see `url`",
  409: "another user has this username",
  426: "a proxy does not hand on upgrades",
  429: "too many connections from this address",
  503: "the server is not ready",
};

export const UNREACHED: Refusal = { code: 1006, reason: "the server was not reached: see `url`", isBlind: false };

/**
 * A browser does not tell why a handshake failed. The same token over HTTP does, when it is the token's fault; the package
 * `ws` tells the status in the message of its error.
 */
export async function explain(
  options: ServerOptions,
  token: string,
  { message, signal }: { message: string; signal: AbortSignal },
): Promise<Refusal> {
  const [, told] = /response: (\d{3})/.exec(message) ?? [];
  if (told !== undefined) return refusalOf(Number(told));
  const { fetch = globalThis.fetch } = options;
  try {
    const { status, ok } = await fetch(urlOf(options, "/api/me"), {
      headers: { authorization: `Bearer ${token}` },
      signal,
    });
    if (!ok) return refusalOf(status);
    const reason = "only the socket was refused: see ALLOWED_ORIGINS, and that a proxy hands on upgrades";
    return { code: 1006, reason, isBlind: false };
  } catch {
    // Not reached over HTTP either: it is the line, as it seemed.
    if (!isOtherOrigin(options)) return UNREACHED;
    const reason = "a page of another origin is not told why: see ALLOWED_ORIGINS, the token, and `url`";
    return { code: 1006, reason, isBlind: true };
  }
}

/** A status that has to do with the token is the code; any other is a line that did not come about. */
function refusalOf(status: number): Refusal {
  const code = status === UNAUTHORIZED || isFinal(status) ? status : 1006;
  return { code, reason: ADVICE[status] ?? `the server answers with HTTP status ${status}`, isBlind: false };
}
