/** What a token is for: one kind is not to be taken for another (RFC 8725, 3.11). */
import type { JWTHeaderParameters, JWTPayload } from "jose";
import { Unauthorized } from "./unauthorized.ts";

/** A JWT of no special kind (RFC 7519, 5.1), and an access token (RFC 9068, 2.1). */
const ACCEPTED_TYPES: ReadonlySet<string> = new Set(["jwt", "at+jwt"]);
/** Claims in which issuers say the kind: Keycloak, Amazon Cognito, and libraries that follow the OAuth 2 answer's name. */
const KIND_CLAIMS = ["typ", "token_use", "token_type"];
/** What a client keeps to get new tokens with, or is sent to end a session, is never shown to a service. */
const OTHER_KINDS: ReadonlySet<unknown> = new Set(["refresh", "offline", "logout"]);

/** @throws Unauthorized: the token is valid, and made for something else */
export function checkKind({ typ }: Pick<JWTHeaderParameters, "typ">, payload: JWTPayload): void {
  // RFC 7515, 4.1.9: `application/` may be left out.
  if (
    typ !== undefined &&
    !ACCEPTED_TYPES.has(
      String(typ)
        .toLowerCase()
        .replace(/^application\//, ""),
    )
  ) {
    throw new Unauthorized("the token is not valid: its typ is not that of an access token");
  }
  for (const claim of KIND_CLAIMS) {
    const kind = payload[claim];
    if (typeof kind === "string" && OTHER_KINDS.has(kind.toLowerCase())) {
      throw new Unauthorized(`the token is not valid: by its ${claim} it is no access token`);
    }
  }
}
