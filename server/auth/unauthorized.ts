/**
 * No token, or one that is not valid: HTTP 401. The message says what is wrong for a developer to read; it never holds
 * the token, and no cause is kept, because jose's errors carry the claims and a log would print them.
 */
export class Unauthorized extends Error {
  override readonly name = "Unauthorized";
  readonly code = "unauthorized";
}
