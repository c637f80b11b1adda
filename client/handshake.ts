import { isFinal, UNAUTHORIZED } from "./close-codes.ts";
import { type ServerOptions, urlOf } from "./server.ts";

/**
 * A browser does not tell why a handshake failed. The same token over HTTP does, when it is the token's fault.
 *
 * @returns the HTTP status that refuses the token; null when it is the line, or when it could not be found out
 */
export async function refusedStatus(
  options: ServerOptions,
  token: string,
  signal: AbortSignal,
): Promise<number | null> {
  const { fetch = globalThis.fetch } = options;
  try {
    const { status } = await fetch(urlOf(options, "/api/me"), {
      headers: { authorization: `Bearer ${token}` },
      signal,
    });
    return status === UNAUTHORIZED || isFinal(status) ? status : null;
  } catch {
    // Not reached over HTTP either: it is the line, as it seemed.
    return null;
  }
}
