/**
 * Asks the app for tokens: one at a time for each `getToken`, and what it gives goes to all who wait for it. Three
 * connections whose token expires at the same moment use a rotating refresh token once.
 */
import type { ServerOptions } from "./server.ts";

type GetToken = ServerOptions["getToken"];

interface Source {
  /** The call that has not been answered. */
  call: { readonly refresh: boolean; readonly token: Promise<string> } | null;
  /** The last one that was asked for with `refresh`. */
  fresh: { readonly token: string; readonly at: number } | null;
}

/** For so long, in ms, a fresh token is also the answer to those who had the one before it refused. */
const FRESH = 10_000;

const sources = new WeakMap<GetToken, Source>();

/**
 * @param refused the token in whose place another is needed; null where a kept one will do
 * @returns the same promise for all who wait for the same call
 */
export function askToken(getToken: GetToken, refused: string | null): Promise<string> {
  const source = sourceOf(getToken);
  const { call: before, fresh } = source;
  const refresh = refused !== null;
  if (before !== null && (before.refresh || !refresh)) return before.token;
  if (refresh && fresh !== null && fresh.token !== refused && Date.now() - fresh.at < FRESH) {
    return Promise.resolve(fresh.token);
  }
  const token = (async () => {
    // Whatever comes of it, the token that was refused is the one before.
    await before?.token.catch(() => {});
    const given: unknown = await getToken({ refresh });
    if (typeof given === "string" && given !== "") return given;
    throw new TypeError(`getToken gave ${given === "" ? "an empty string" : typeof given}, expected a token`);
  })();
  const call = { refresh, token };
  source.call = call;
  token.then(
    (given) => {
      if (refresh) source.fresh = { token: given, at: Date.now() };
      forgetToken(getToken, token);
    },
    () => forgetToken(getToken, token),
  );
  return token;
}

/** Nobody waits for this call any longer: who needs a token asks anew. */
export function forgetToken(getToken: GetToken, token: Promise<string>): void {
  const source = sourceOf(getToken);
  if (source.call?.token === token) source.call = null;
}

function sourceOf(getToken: GetToken): Source {
  const known = sources.get(getToken);
  if (known !== undefined) return known;
  const source: Source = { call: null, fresh: null };
  sources.set(getToken, source);
  return source;
}
