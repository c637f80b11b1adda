/** What tokens are verified with: one key, and the algorithms that fit it. */
import { createPublicKey, type KeyObject } from "node:crypto";

export type VerificationKey =
  | SecretKey
  | ({ readonly kind: "public_key" } & PublicKey)
  /** A JSON Web Key Set (RFC 7517), fetched when it is first needed and again when a token names a key it lacks. */
  | { readonly kind: "key_set"; readonly url: URL };

export interface SecretKey {
  readonly kind: "secret";
  readonly secret: Uint8Array;
}

export interface PublicKey {
  readonly key: KeyObject;
  readonly algorithms: readonly string[];
}

export interface TokenSettings {
  readonly key: VerificationKey;
  /** What `iss` must be; null: not checked. */
  readonly issuer: string | null;
  /** What `aud` must be or contain; null: not checked. */
  readonly audience: string | null;
  /** Seconds that `exp` may lie ahead, and it has to be there; null, or left out: not checked. */
  readonly maxLifetime?: number | null;
}

/** The text itself is the key, in UTF-8; nothing in it is decoded. */
export function secretKey(text: string): SecretKey {
  return { kind: "secret", secret: new TextEncoder().encode(text) };
}

const RS256 = ["RS256"];
const ES256 = ["ES256"];
/** RFC 9864 renames `EdDSA` with this curve to `Ed25519`; issuers say either. */
const EDDSA = ["EdDSA", "Ed25519"];

/**
 * The `alg` values that a key accepts. The key decides, never the token: a token that says HS256 is not even tried
 * against a public key, whose text is no secret (RFC 8725, 3.1).
 */
export function algorithmsFor(key: VerificationKey): string[] {
  switch (key.kind) {
    case "secret":
      return ["HS256"];
    case "public_key":
      return [...key.algorithms];
    case "key_set":
      return [...RS256, ...ES256, ...EDDSA];
  }
}

/** RFC 7518, 3.3. */
const MIN_RSA_BITS = 2048;

export const PUBLIC_KEY_EXPECTED = `expected a public key in PEM: RSA of at least ${MIN_RSA_BITS} bits, P-256 or Ed25519`;

/**
 * A public key or certificate in PEM, its line ends real or written `\n` as in `.env` files. Null for anything else, a
 * private key too: node:crypto would take the public half of one without a word, and it has no business on this server.
 */
export function parsePublicKey(text: string): PublicKey | null {
  const pem = text.replaceAll("\\n", "\n");
  if (pem.includes("PRIVATE KEY")) return null;
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    return null;
  }
  const algorithms = algorithmsOf(key);
  return algorithms === null ? null : { key, algorithms };
}

function algorithmsOf(key: KeyObject): readonly string[] | null {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case "rsa":
      return (details?.modulusLength ?? 0) >= MIN_RSA_BITS ? RS256 : null;
    case "ec":
      return details?.namedCurve === "prime256v1" ? ES256 : null;
    case "ed25519":
      return EDDSA;
    default:
      return null;
  }
}
