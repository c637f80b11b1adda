/** A JSON Web Key Set (RFC 7517) that an issuer publishes: fetched when needed, for all that wait at once, and kept. */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { Refusal } from "../core/errors.ts";

/** In milliseconds. */
const FETCH_TIMEOUT = 5_000;
/** For so long a set is used without a look at the issuer's. */
const FRESH = 10 * 60_000;
/** For so long it serves where the issuer fails: its keys may have been withdrawn meanwhile. */
const USABLE = 60 * 60_000;
/** Between two fetches for keys that the set lacks, so that tokens naming keys at random do not hammer the issuer. */
const COOLDOWN = 30_000;
/** After a fetch that failed, before the next. */
const RETRY = 5_000;
/** Bytes of a set: some hundred keys. */
const MAX_BYTES = 1_048_576;

interface KeptSet {
  readonly find: JWTVerifyGetKey;
  readonly fetchedAt: number;
}

export class KeySet {
  readonly #url: URL;
  #kept: KeptSet | null = null;
  #fetching: Promise<void> | null = null;
  #failure: { readonly at: number; readonly cause: unknown } | null = null;

  constructor(url: URL) {
    this.#url = url;
  }

  /** @throws Refusal `unavailable`: there is no set to look in; JWKSNoMatchingKey, JWKSMultipleMatchingKeys: the token's fault */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    if (this.#age() >= FRESH) await this.#fetch();
    const kept = this.#kept;
    if (kept === null || this.#age() >= USABLE) {
      const cause = this.#failure?.cause;
      throw new Refusal("unavailable", "the keys that verify tokens could not be fetched, try again", { cause });
    }
    try {
      return await kept.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || this.#age() < COOLDOWN) throw error;
      await this.#fetch();
      return (this.#kept ?? kept).find(header, token);
    }
  };

  #age(): number {
    return this.#kept === null ? Number.POSITIVE_INFINITY : Date.now() - this.#kept.fetchedAt;
  }

  /** Resolves when it was tried, or needs not be again yet. */
  #fetch(): Promise<void> {
    if (this.#failure !== null && Date.now() - this.#failure.at < RETRY) return Promise.resolve();
    this.#fetching ??= fetchKeySet(this.#url)
      .then(
        (set) => {
          this.#kept = { find: createLocalJWKSet(set), fetchedAt: Date.now() };
          this.#failure = null;
        },
        (cause: unknown) => {
          this.#failure = { at: Date.now(), cause };
        },
      )
      .finally(() => {
        this.#fetching = null;
      });
    return this.#fetching;
  }
}

/** Follows no redirect: the keys are those of the address that was configured. */
async function fetchKeySet(url: URL): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    headers: { accept: "application/json, application/jwk-set+json" },
    redirect: "error",
    signal: AbortSignal.timeout(FETCH_TIMEOUT),
  });
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the issuer answered ${response.status}`);
  }
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new Error(`the key set is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  const set: JSONWebKeySet = JSON.parse(Buffer.concat(chunks).toString());
  // Its form is judged here, where a failure is one of the issuer's.
  createLocalJWKSet(set);
  return set;
}
