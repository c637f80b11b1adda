/** Who is signed in: a person of a development server by name, or whoever a given token is of. */
import { signal } from "@preact/signals";
import { createApi, developmentToken, ParleyError, type ProfileBody } from "../client/index.ts";

export type Session =
  | { readonly name: "signed_out"; readonly notice: string | null }
  | { readonly name: "signing_in" }
  | { readonly name: "signed_in"; readonly me: ProfileBody };

type Kept =
  | { readonly kind: "development"; readonly token: string; readonly me: ProfileBody }
  /** `me` is null until the server has said it. */
  | { readonly kind: "given"; readonly token: string; readonly me: ProfileBody | null };

/** In the session's storage, so that each tab can be somebody else. */
const STORAGE_KEY = "parley:session";

const HAS_A_KEY =
  "This server verifies tokens with a key of its own, so a name is not enough: open this page with ?token=<jwt>.";
const REFUSED = "The token was refused or has expired. Open this page with ?token=<jwt> again.";

export const session = signal<Session>({ name: "signed_out", notice: null });

let kept: Kept | null = null;
/** Connections that are refused together ask for one new token. */
let renewal: Promise<string> | null = null;

/** Takes up what the address or this tab says. */
export function resumeSession(): void {
  const given = takeTokenFromAddress();
  kept = given === null ? readKept() : { kind: "given", token: given, me: null };
  if (kept === null) return;
  keep(kept);
  if (kept.me === null) void identify(kept.token);
  else session.value = { name: "signed_in", me: kept.me };
}

export async function signIn(name: string): Promise<void> {
  session.value = { name: "signing_in" };
  try {
    const { token, user } = await developmentToken(name);
    keep({ kind: "development", token, me: user });
    session.value = { name: "signed_in", me: user };
  } catch (error) {
    signOut(signInProblem(error));
  }
}

export function signOut(notice: string | null = null): void {
  kept = null;
  sessionStorage.removeItem(STORAGE_KEY);
  session.value = { name: "signed_out", notice };
}

/** The `getToken` of the client library. */
export async function getToken({ refresh }: { refresh: boolean }): Promise<string> {
  if (kept === null) throw new Error("nobody is signed in");
  if (!refresh) return kept.token;
  switch (kept.kind) {
    case "given":
      signOut(REFUSED);
      throw new Error("the token was refused");
    case "development":
      renewal ??= renew(kept.me.username).finally(() => {
        renewal = null;
      });
      return renewal;
  }
}

async function renew(username: string): Promise<string> {
  try {
    const { token, user } = await developmentToken(username);
    keep({ kind: "development", token, me: user });
    return token;
  } catch (error) {
    if (isUnreachable(error)) throw error;
    signOut(signInProblem(error));
    throw error;
  }
}

/** Asks the server whose token this is. */
async function identify(token: string): Promise<void> {
  session.value = { name: "signing_in" };
  try {
    const me = await createApi({ getToken }).me();
    keep({ kind: "given", token, me });
    session.value = { name: "signed_in", me };
  } catch (error) {
    // A refused token has signed out already, with better words.
    if (kept === null) return;
    if (isUnreachable(error))
      session.value = { name: "signed_out", notice: "The server was not reached. Reload to try again." };
    else signOut(problemText(error));
  }
}

function keep(next: Kept): void {
  kept = next;
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(next));
}

function readKept(): Kept | null {
  const text = sessionStorage.getItem(STORAGE_KEY);
  return text === null ? null : (JSON.parse(text) as Kept);
}

/** A token does not stay where it can be seen, copied and bookmarked. */
function takeTokenFromAddress(): string | null {
  const address = new URL(location.href);
  const token = address.searchParams.get("token");
  if (token === null) return null;
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
  return token === "" ? null : token;
}

function isUnreachable(error: unknown): boolean {
  return error instanceof ParleyError && error.code === "unavailable";
}

function signInProblem(error: unknown): string {
  if (error instanceof ParleyError && error.code === "not_found") return HAS_A_KEY;
  return problemText(error);
}

/** What went wrong, for people. */
export function problemText(error: unknown): string {
  if (error instanceof ParleyError && error.code === "unavailable") return "The server was not reached.";
  const text = error instanceof Error ? error.message : String(error);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
