/** Who is signed in: a person of a development server by name, or whoever a given token is of. */
import { signal } from "@preact/signals";
import { createApi, developmentToken, ParleyError, type ProfileBody } from "../client/index.ts";
import { displayName } from "./people.ts";
import { isUnreachable, problemText } from "./problems.ts";
import { handedAtStart, onHanded } from "./route.ts";
import { serverUrl } from "./server.ts";
import { tabStore } from "./storage.ts";
import { plainName } from "./words.ts";

export type Session =
  | { readonly name: "signed_out"; readonly notice: string | null }
  | { readonly name: "signing_in" }
  | { readonly name: "signed_in"; readonly me: ProfileBody; readonly notice: string | null }
  /** `me` is signed in, and a link hands the token of `other`. */
  | { readonly name: "choosing"; readonly me: ProfileBody; readonly other: ProfileBody; readonly token: string };

type Kept =
  | { readonly kind: "development"; readonly token: string; readonly me: ProfileBody }
  /** `me` is null until the server has said it. */
  | { readonly kind: "given"; readonly token: string; readonly me: ProfileBody | null };

/** In the tab's storage, so that each tab can be somebody else. */
const SESSION_KEY = "parley:session";
const SECRET_KEY = "parley:development-secret";

const HAS_A_KEY =
  "This server verifies tokens with a key of its own, so a name is not enough: open this page with #token=<jwt>.";
const REFUSED = "The token was refused or has expired. Open this page with #token=<jwt> again.";

export const session = signal<Session>({ name: "signed_out", notice: null });
/** By which a server in development knows those who may read its log; null while nobody has said it. */
export const developmentSecret = signal<string | null>(null);

let kept: Kept | null = null;
/** Connections that are refused together ask for one new token. */
let renewal: Promise<string> | null = null;

/** Takes up what the address or this tab says. */
export function resumeSession(): void {
  learnSecret(handedAtStart.developmentSecret ?? tabStore.get(SECRET_KEY));
  kept = readKept();
  if (handedAtStart.token !== null) void takeToken(handedAtStart.token);
  else if (kept !== null) resume(kept);
  onHanded(({ token, developmentSecret }) => {
    learnSecret(developmentSecret);
    if (token !== null) void takeToken(token);
  });
}

export async function signIn(name: string, secret: string | null): Promise<void> {
  session.value = { name: "signing_in" };
  try {
    const { token, user } = await developmentToken(name, { url: serverUrl, secret: secret ?? undefined });
    learnSecret(secret);
    keep({ kind: "development", token, me: user });
    session.value = { name: "signed_in", me: user, notice: null };
  } catch (error) {
    // It may be the secret of an earlier start of the server.
    if (error instanceof ParleyError && (error.code === "forbidden" || error.code === "unauthorized")) forgetSecret();
    endSession(signInProblem(error));
  }
}

/** Nobody is signed in any more. What they had begun waits for them to come back. */
export function endSession(notice: string | null = null): void {
  kept = null;
  tabStore.remove(SESSION_KEY);
  tabStore.remove(SECRET_KEY);
  session.value = { name: "signed_out", notice };
}

/** Answers the question of a link that hands somebody else's token. */
export function choose(whose: "mine" | "the link's"): void {
  const asked = session.peek();
  if (asked.name !== "choosing") return;
  if (whose === "the link's") keep({ kind: "given", token: asked.token, me: asked.other });
  session.value = { name: "signed_in", me: whose === "mine" ? asked.me : asked.other, notice: null };
}

export function dismissNotice(): void {
  const now = session.peek();
  if (now.name === "signed_in") session.value = { ...now, notice: null };
}

/** The `getToken` of the client library. */
export async function getToken({ refresh }: { refresh: boolean }): Promise<string> {
  if (kept === null) throw new Error("nobody is signed in");
  if (!refresh) return kept.token;
  switch (kept.kind) {
    case "given":
      endSession(REFUSED);
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
    const secret = developmentSecret.peek() ?? undefined;
    const { token, user } = await developmentToken(username, { url: serverUrl, secret });
    keep({ kind: "development", token, me: user });
    return token;
  } catch (error) {
    if (!isUnreachable(error)) endSession(signInProblem(error));
    throw error;
  }
}

function resume(found: Kept): void {
  keep(found);
  if (found.me === null) void identify(found.token);
  else session.value = { name: "signed_in", me: found.me, notice: null };
}

/** Of a link: a token takes nobody's place before they have said so. */
async function takeToken(token: string): Promise<void> {
  const me = kept?.me ?? null;
  if (me === null) {
    resume({ kind: "given", token, me: null });
    return;
  }
  // When the page opens, nothing of theirs is shown before it is settled who they are.
  if (session.peek().name === "signed_out") session.value = { name: "signing_in" };
  try {
    const other = await createApi({ url: serverUrl, getToken: () => token }).me();
    if (kept?.me?.id !== me.id) return;
    if (other.id !== me.id) session.value = { name: "choosing", me, other, token };
    else {
      keep({ kind: "given", token, me: other });
      session.value = { name: "signed_in", me, notice: null };
    }
  } catch (error) {
    if (kept?.me?.id !== me.id) return;
    const why = isUnreachable(error) ? "The server was not reached." : "Its token was refused or has expired.";
    const who = plainName(displayName(me));
    const notice = `The link that you followed signs nobody in. ${why} You are still ${who}.`;
    session.value = { name: "signed_in", me, notice };
  }
}

/** Asks the server whose token this is. */
async function identify(token: string): Promise<void> {
  session.value = { name: "signing_in" };
  try {
    const me = await createApi({ url: serverUrl, getToken }).me();
    keep({ kind: "given", token, me });
    session.value = { name: "signed_in", me, notice: null };
  } catch (error) {
    // A refused token has ended the session already, with better words.
    if (kept === null) return;
    if (isUnreachable(error))
      session.value = { name: "signed_out", notice: "The server was not reached. Reload to try again." };
    else endSession(problemText(error));
  }
}

function keep(next: Kept): void {
  kept = next;
  tabStore.set(SESSION_KEY, JSON.stringify(next));
}

function readKept(): Kept | null {
  return tabStore.read<Kept>(SESSION_KEY);
}

function learnSecret(secret: string | null): void {
  if (secret === null) return;
  developmentSecret.value = secret;
  tabStore.set(SECRET_KEY, secret);
}

function forgetSecret(): void {
  developmentSecret.value = null;
}

function signInProblem(error: unknown): string {
  if (error instanceof ParleyError && error.code === "not_found") return HAS_A_KEY;
  return problemText(error);
}
