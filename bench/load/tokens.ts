/** Tokens of the users of a run; their names are their ids. */
import { SignJWT } from "jose";

/** Longer than any run. */
const LIFETIME = "24h";

export function signToken(secret: string, user: string): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime(LIFETIME)
    .sign(new TextEncoder().encode(secret));
}
