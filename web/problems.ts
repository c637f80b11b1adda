import { ParleyError } from "../client/index.ts";

/** What went wrong, for people. */
export function problemText(error: unknown): string {
  if (isUnreachable(error)) return "The server was not reached.";
  const text = error instanceof Error ? error.message : String(error);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof ParleyError && error.code === "unavailable";
}
