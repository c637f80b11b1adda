import { claimsOf } from "./claims.ts";

/**
 * Handshakes failed, and there was no way to find out why: it may have been the token. Another one is asked for after the
 * first, second, fourth, eighth, … such failure, so that an outage is not one of the issuer's too; and only from the fourth
 * on where the token says that it has not expired.
 */
export class Suspicion {
  /** Since the line was open. */
  #failures = 0;

  /** @returns whether it falls on the token with which the handshake failed this time */
  falls(token: string): boolean {
    this.#failures += 1;
    const isPowerOfTwo = (this.#failures & (this.#failures - 1)) === 0;
    const { expiresAt } = claimsOf(token);
    return isPowerOfTwo && (this.#failures >= 4 || expiresAt === null || expiresAt <= Date.now());
  }

  clear(): void {
    this.#failures = 0;
  }
}
