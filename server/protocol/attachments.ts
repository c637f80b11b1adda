/** What a client may hang on a message beside its text: links, and objects of its own that are stored as they came. */
import { z } from "zod";
import { list, record } from "./bounded.ts";
import { httpUrl, isStorable, STORABLE } from "./fields.ts";

export const MAX_ATTACHMENTS = 20;

/** How deep an opaque object may nest before it is refused. */
const MAX_DEPTH = 8;

const MAX_FIELDS = 1_000;

/**
 * Bytes of a message's attachments, and of its opaque object, as the server's JSON says them. A client's may be shorter:
 * `1e20` becomes 21 digits.
 */
export const MAX_OPAQUE_BYTES = 65_536;

const TOO_LARGE = `expected at most ${MAX_OPAQUE_BYTES} bytes of JSON`;

/** An opaque object of the client's, given back as it came. */
export const opaqueObject = record(z.string(), z.unknown(), MAX_FIELDS, "fields")
  .refine(isStorableTree, { error: `${STORABLE}, at most ${MAX_DEPTH} deep, numbers finite`, abort: true })
  .refine(isSmall, TOO_LARGE);

/** A link, or an object that describes one: its `url`, where it has one, is http or https; its other fields are the client's. */
export const attachment = z.union(
  [httpUrl, record(z.string(), z.unknown(), MAX_FIELDS, "fields").refine(isDescribedLink, { abort: true })],
  { error: "expected an http or https URL, or an object whose url is one" },
);

export const attachments = list(attachment, MAX_ATTACHMENTS, "attachments").refine(isSmall, TOO_LARGE);

function isDescribedLink(value: Record<string, unknown>): boolean {
  return (value.url === undefined || httpUrl.safeParse(value.url).success) && isStorableTree(value);
}

function isStorableTree(value: unknown, depth = 0): boolean {
  if (typeof value === "string") return isStorable(value);
  // JSON.parse reads 1e400 as infinite, which JSON cannot say.
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth >= MAX_DEPTH) return false;
  return Object.entries(value).every(
    ([key, inner]) => isStorable(key) && key !== "__proto__" && isStorableTree(inner, depth + 1),
  );
}

const utf8 = new TextEncoder();

function isSmall(value: unknown): boolean {
  return utf8.encode(JSON.stringify(value)).length <= MAX_OPAQUE_BYTES;
}
