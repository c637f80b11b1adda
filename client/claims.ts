/** What a token says of its user. The server verifies it; here it is only read. */
export interface Claims {
  readonly userId: string | null;
  /** What others call the user, as far as the token knows: a name that was changed since is not in it. */
  readonly username: string | null;
  /** Milliseconds since 1970; null where the token does not say. */
  readonly expiresAt: number | null;
}

/** Of a JSON Web Token. A token that is none, such as one that a gateway puts another for, says nothing. */
export function claimsOf(token: string): Claims {
  try {
    const [, payload = ""] = token.split(".");
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (byte) => byte.charCodeAt(0));
    const { username, sub, exp } = JSON.parse(new TextDecoder().decode(bytes));
    const name = username || sub;
    return {
      userId: typeof sub === "string" ? sub : null,
      username: typeof name === "string" ? name : null,
      expiresAt: typeof exp === "number" ? exp * 1_000 : null,
    };
  } catch {
    return { userId: null, username: null, expiresAt: null };
  }
}
