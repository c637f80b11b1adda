/** What a server under test says in its lines on standard output: where it listens, that it collected, what went wrong. */

export type Line =
  | { readonly kind: "listening"; readonly url: string }
  | { readonly kind: "collected" }
  /** Something that went wrong in the server, in its own words. */
  | { readonly kind: "error"; readonly text: string }
  | { readonly kind: "other" };

/** The log level of an error in pino's lines, which Parley writes. */
const ERROR_LEVEL = 50;

/** A peer's `{"listening":url}`, `{"collected":true}`, or a line of Parley's log. What is no JSON says nothing. */
export function parseLine(text: string): Line {
  if (!text.startsWith("{")) return { kind: "other" };
  const line = JSON.parse(text) as { listening?: string; collected?: true; level?: number; msg?: string };
  const url = line.listening ?? /^listening on (http:\S+)$/.exec(line.msg ?? "")?.[1];
  if (url !== undefined) return { kind: "listening", url };
  if (line.collected === true) return { kind: "collected" };
  return (line.level ?? 0) >= ERROR_LEVEL ? { kind: "error", text } : { kind: "other" };
}
