import type { ErrorCode } from "../server/protocol/errors.ts";

/**
 * Why a request was not done:
 * - a code of the server's catalogue: it was refused for good;
 * - `unavailable`: over HTTP also that the server was not reached;
 * - `queue_full`: `queueLimit` requests wait already, this one was not taken;
 * - `interrupted`: the line broke, and doing it twice would not be the same as doing it once: look before you ask again;
 * - `closed`: the connection was closed before it was acknowledged. A message may have been stored; sent again with the
 *   same client id it is still one message.
 */
export type FailureCode = ErrorCode | "queue_full" | "interrupted" | "closed";

export class ParleyError extends Error {
  override readonly name = "ParleyError";
  readonly code: FailureCode;
  /** Milliseconds to wait before asking again; with `rate_limited`. */
  readonly retryAfter: number | undefined;

  constructor(
    code: FailureCode,
    message: string,
    { retryAfter, cause }: { retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** Of what an app has thrown, an error or not. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
