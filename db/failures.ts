/**
 * Tells "storage is away" from "the statement is wrong". The first is the weather and becomes `StorageUnavailable`; the
 * second is a fault of ours and stays what it is.
 *
 * Source: PostgreSQL manual, appendix A (SQLSTATE classes); Node's system errors; pg `lib/client.js` and pg-pool
 * `index.js`, whose own errors have no code.
 */
import { Refusal, StorageUnavailable } from "../server/core/errors.ts";

const AWAY = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  // Of ours: the folder of the embedded database is another server's now.
  "EFOLDERLOST",
]);

/** Whole messages, of a connection that was not opened in time. */
const CONNECT_MESSAGES = new Set([
  "timeout expired",
  "Connection terminated due to connection timeout",
  // Of the first statements on it, which no server takes long for.
  "Query read timeout",
]);

/** Whole messages: of a connection that was lost, that was closed, and that did not come in time. */
const AWAY_MESSAGES = new Set([
  "Connection terminated unexpectedly",
  "Client has encountered a connection error and is not queryable",
  "Connection terminated",
  "Client was closed and is not queryable",
  "Cannot use a pool after calling end on the pool",
  "timeout exceeded when trying to connect",
  ...CONNECT_MESSAGES,
]);

/**
 * 08 connection, 25006 read-only, 25P03 and 25P04 a transaction that was idle or open for too long, 40 rolled back (deadlock,
 * serialization), 53 out of disk, memory or connections, 55P03 a lock that was not to be had, 57 operator intervention,
 * 58 I/O error.
 */
const AWAY_STATES = /^(08|25006|25P03|25P04|40|53|55P03|57|58)/;

/**
 * A protocol violation: PostgreSQL says with it that a message of ours was wrong. A pooler ends connections with it, for any
 * reason of its own, and that is always fatal.
 */
const PROTOCOL_VIOLATION = "08P01";

function* causesOf(error: unknown): Generator<Error> {
  for (let cause = error; cause instanceof Error; cause = cause.cause) yield cause;
}

/** The `code` of a failed statement or system call, wherever in the chain of causes it is. */
export function errorCode(error: unknown): string | undefined {
  for (const cause of causesOf(error)) {
    if ("code" in cause && typeof cause.code === "string") return cause.code;
  }
  return undefined;
}

export function isUniqueViolation(error: unknown): boolean {
  return errorCode(error) === "23505";
}

export function isAway(error: unknown): boolean {
  const code = errorCode(error);
  if (code === undefined) return [...causesOf(error)].some(({ message }) => AWAY_MESSAGES.has(message));
  if (code === PROTOCOL_VIOLATION) return isFatal(error);
  return AWAY.has(code) || (/^[0-9A-Z]{5}$/.test(code) && AWAY_STATES.test(code));
}

/** The session has ended with it. */
function isFatal(error: unknown): boolean {
  return [...causesOf(error)].some((cause) => "severity" in cause && cause.severity === "FATAL");
}

/** Out of disk or memory, or the disk failed: what the next write may meet again. */
export function isLackOfRoom(error: unknown): boolean {
  return /^(53[12]00|58...)$/.test(errorCode(error) ?? "");
}

/** No connection was to be had, of a server that has others: from PostgreSQL, or from a pooler, which may let one wait too. */
export function isLackOfConnections(error: unknown): boolean {
  const code = errorCode(error);
  if (code === "53300") return true;
  return [...causesOf(error)].some(
    ({ message }) => CONNECT_MESSAGES.has(message) || /^no more connections allowed|query_wait_timeout/.test(message),
  );
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
