/** Token in, identity out. */
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from "jose";
import { Refusal } from "../core/errors.ts";
import { type Claims, readClaims } from "./claims.ts";
import { algorithmsFor, type TokenSettings, type VerificationKey } from "./keys.ts";
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

export function createAuthenticator({ key, issuer, audience }: TokenSettings): Authenticator {
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
      ({ payload } = await jwtVerify(token, verificationKey, options));
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw expired();
      // What jose blames on the token; anything else is a fault of ours or of the key set's.
      if (error instanceof errors.JOSEError) throw new Unauthorized(`the token is not valid: ${error.message}`);
      throw error;
    }
    const identity = readClaims(payload);
    if (identity.expiresAt !== null && identity.expiresAt <= Date.now()) throw expired();
    return identity;
  };
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
      return keyFromSet(key.url);
  }
}

/**
 * jose fetches the set once and keeps it for 10 minutes; a key that it lacks is looked for in a fresh copy at most every
 * 30 seconds, so that tokens naming keys at random cannot make this server hammer the issuer.
 */
function keyFromSet(url: URL): JWTVerifyGetKey {
  const find = createRemoteJWKSet(url);
  return async (header, token) => {
    try {
      return await find(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      throw new Refusal("unavailable", "the keys that verify tokens could not be fetched, try again", { cause: error });
    }
  };
}
