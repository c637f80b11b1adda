/**
 * What the core can refuse, and why. A dialect turns a refusal into its error frame, HTTP into its status; the words of
 * `message` are for a developer to read, the code is for a program.
 */
export type RefusalCode =
  | "invalid_frame"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "rate_limited"
  | "unavailable"
  | "internal";

export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;
  /** Milliseconds until the same request may succeed; only with `rate_limited`. */
  readonly retryAfter: number | undefined;

  constructor(code: RefusalCode, message: string, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfter = options.retryAfter;
  }
}

/**
 * Storage could not answer: nothing of the request was stored as far as the server knows, and the same client id makes
 * it safe to send again.
 */
export class StorageUnavailable extends Refusal {
  constructor(cause: unknown) {
    super("unavailable", "storage did not answer; send it again with the same client id", { cause });
  }
}

/** Somebody would be in more conversations than one may; whose they are is not the caller's to know. */
export class TooManyConversations extends Refusal {
  constructor(limit: number) {
    super("forbidden", `a user may be in ${limit} conversations at most (MAX_CONVERSATIONS_PER_USER)`);
  }
}

/** `retryAfter`: milliseconds until the first of those made within a day is older than that. */
export class TooManyGroups extends Refusal {
  constructor(limit: number, retryAfter: number) {
    super("rate_limited", `a user may make ${limit} groups a day at most (GROUPS_PER_DAY)`, { retryAfter });
  }
}

/** The server cannot start as it is set up: what is in the way, and what to do about it, in one line for its operator. */
export class CannotStart extends Error {
  override readonly name = "CannotStart";
}
