/** Token in, identity out. */
import { errors, type JWTVerifyOptions, jwtVerify } from "jose";
import { Refusal } from "../core/errors.ts";
import { type Claims, readClaims } from "./claims.ts";
import { KeySet } from "./key-set.ts";
import { algorithmsFor, type TokenSettings, type VerificationKey } from "./keys.ts";
import { checkKind } from "./token-kind.ts";
import { Unauthorized } from "./unauthorized.ts";

export interface Identity {
  readonly claims: Claims;
  /**
   * Epoch milliseconds at which the token, and a socket opened with it, ends; null: never. May lie further ahead than a
   * timer can wait (2^31 ms).
   */
  readonly expiresAt: number | null;
}

/**
 * @throws Unauthorized when the token is not valid
 * @throws Refusal `unavailable` when the key set could not be fetched: not the token's fault, try again
 */
export type Authenticator = (token: string) => Promise<Identity>;

/**
 * Seconds that the issuer's clock may be ahead of ours: a token used in the moment it was made must not be called not yet
 * valid (RFC 7519, 4.1.5). The expiry gets none: a token accepted late would open a socket that is closed at once.
 */
const CLOCK_TOLERANCE_SECONDS = 5;

export function createAuthenticator({ key, issuer, audience, maxLifetime = null }: TokenSettings): Authenticator {
  const verificationKey = keyForVerification(key);
  const options: JWTVerifyOptions = {
    algorithms: algorithmsFor(key),
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    ...(issuer === null ? {} : { issuer }),
    ...(audience === null ? {} : { audience }),
  };
  return async (token) => {
    let payload: unknown;
    try {
      const verified = await jwtVerify(token, verificationKey, options);
      checkKind(verified.protectedHeader, verified.payload);
      payload = verified.payload;
    } catch (error) {
      if (error instanceof Unauthorized || error instanceof Refusal) throw error;
      if (error instanceof errors.JWTExpired) throw expired();
      // What jose blames on the token; anything else is a fault of ours or of the key set's.
      if (error instanceof errors.JOSEError) throw new Unauthorized(`the token is not valid: ${error.message}`);
      throw error;
    }
    const identity = readClaims(payload);
    if (identity.expiresAt !== null && identity.expiresAt <= Date.now()) throw expired();
    if (maxLifetime !== null) checkLifetime(identity.expiresAt, maxLifetime);
    return identity;
  };
}

function checkLifetime(expiresAt: number | null, maxLifetime: number): void {
  if (expiresAt === null) throw new Unauthorized("the token is not valid: it has no exp, so that it would never end");
  if (expiresAt > Date.now() + (maxLifetime + CLOCK_TOLERANCE_SECONDS) * 1_000) {
    throw new Unauthorized(
      `the token is not valid: its exp lies more than MAX_TOKEN_LIFETIME (${maxLifetime} s) ahead`,
    );
  }
}

function expired(): Unauthorized {
  return new Unauthorized("the token has expired");
}

function keyForVerification(key: VerificationKey) {
  switch (key.kind) {
    case "secret":
      return key.secret;
    case "public_key":
      return key.key;
    case "key_set":
      return new KeySet(key.url).find;
  }
}
