import type { CloseReason } from "./close-codes.ts";

/** What a dialect does with a line. */
export interface LineHandler {
  /** The query of the next attempt, such as `since=7`; empty for none. */
  query(): string;
  /** A socket is there, opened with this token: what is to be said first. */
  connected(token: string): void;
  /** A frame came; JSON, parsed. */
  receive(frame: object): void;
  /** Whether coming back may help although `why` says that it does not. */
  excuses(why: CloseReason): boolean;
  /** The socket is gone, another will come. */
  lost(why: CloseReason): void;
  /** No other will come. */
  ended(why: CloseReason): void;
}

/** @returns null for what is no JSON, or no object */
export function parseFrame(text: string): object | null {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === "object" ? frame : null;
  } catch {
    return null;
  }
}
