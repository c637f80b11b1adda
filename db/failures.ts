/**
 * Tells "storage is away" from "the statement is wrong". The first is the weather and becomes `StorageUnavailable`; the
 * second is a fault of ours and stays what it is.
 *
 * Source: PostgreSQL manual, appendix A (SQLSTATE classes); postgres.js `src/errors.js` and Node's system errors.
 */
import { Refusal, StorageUnavailable } from "../server/core/errors.ts";

const AWAY = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EHOSTUNREACH",
]);

/**
 * 08 connection, 25006 read-only, 40 rolled back (deadlock, serialization), 53 out of disk, memory or connections,
 * 57 operator intervention, 58 I/O error.
 */
const AWAY_STATES = /^(08|25006|40|53|57|58)/;

/** The `code` of a failed statement or system call, wherever in the chain of causes it is. */
export function errorCode(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && typeof cause.code === "string") return cause.code;
  }
  return undefined;
}

export function isUniqueViolation(error: unknown): boolean {
  return errorCode(error) === "23505";
}

function isAway(error: unknown): boolean {
  const code = errorCode(error);
  return code !== undefined && (AWAY.has(code) || (/^[0-9A-Z]{5}$/.test(code) && AWAY_STATES.test(code)));
}

/** Runs a piece of work on the database and names its failures. */
export async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (isAway(error)) throw new StorageUnavailable(error);
    throw error;
  }
}
