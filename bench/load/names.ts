/** What the users, groups and messages of a run are called. All names of a kind have one length. */
import { wholeNumberAt } from "./scan.ts";

const USER_DIGITS = 6;
const NUMBER_DIGITS = 8;
const NUMBER_RANGE = 10 ** NUMBER_DIGITS;

/** What stands in a message's `client_id` for its number, until it has one. */
export const NUMBER_PLACEHOLDER = "#".repeat(NUMBER_DIGITS);

export function userName(prefix: string, index: number): string {
  return `${prefix}-u${String(index).padStart(USER_DIGITS, "0")}`;
}

export function groupName(prefix: string): string {
  return `group-${prefix}`;
}

/** The `client_id` of the messages of a sender: 15 characters. */
export function clientIdOf(sender: number): string {
  return `${String(sender).padStart(USER_DIGITS, "0")}-${NUMBER_PLACEHOLDER}`;
}

/** A `client_id` in one whole number, which says sender and number; -1 when it is none of ours. */
export function readClientId(bytes: Buffer, offset: number, end: number): number {
  const sender = wholeNumberAt(bytes, offset, Math.min(end, offset + USER_DIGITS));
  const number = wholeNumberAt(
    bytes,
    offset + USER_DIGITS + 1,
    Math.min(end, offset + USER_DIGITS + 1 + NUMBER_DIGITS),
  );
  return sender < 0 || number < 0 ? -1 : sender * NUMBER_RANGE + number;
}

export function senderOf(clientId: number): number {
  return Math.floor(clientId / NUMBER_RANGE);
}

/** Of one sender's messages: 1, 2, 3, … */
export function numberOf(clientId: number): number {
  return clientId % NUMBER_RANGE;
}
