/** The fields that more than one frame or request has, each declared once with its bounds. */
import { z } from "zod";
import { normalizeUsername, objectionToUsername, RESERVED_USERNAME, USERNAME_FORM } from "./usernames.ts";

/** PostgreSQL stores neither NUL nor half of a surrogate pair; both are refused where they come in. */
export function isStorable(text: string): boolean {
  return !text.includes("\u0000") && text.isWellFormed();
}

export const STORABLE = "must be well-formed Unicode without NUL";

/** Text of at most `max` UTF-16 units. */
export function text(max: number) {
  return z.string().max(max, `expected at most ${max} characters`).refine(isStorable, STORABLE);
}

function countCodePoints(value: string): number {
  let count = 0;
  for (const _ of value) count += 1;
  return count;
}

/** The text of a message: at most `max` code points, as people count characters rather than UTF-16 units. */
export function messageText(max: number) {
  return z
    .string()
    .refine((value) => value.length <= max || countCodePoints(value) <= max, `expected at most ${max} characters`)
    .refine(isStorable, STORABLE);
}

/** An empty string means that the field is absent, and so does null. */
export function optional<T extends z.ZodType>(field: T) {
  return z.preprocess((value) => (value === "" || value === null ? undefined : value), field.optional());
}

export const userId = text(128).min(1, "expected a user id of 1 to 128 characters");

/** Users that one request may name. */
export const MAX_USERS = 10_000;

const anyUsername = z
  .string()
  .overwrite(normalizeUsername)
  .regex(USERNAME_FORM, "expected 1 to 150 letters, digits or @ . + - _")
  .refine((name) => name !== RESERVED_USERNAME, `${RESERVED_USERNAME} is a reserved name`);

/** A name that somebody takes: normalized, so that both forms of `é` are one. */
export const username = anyUsername.superRefine((name, context) => {
  const objection = objectionToUsername(name);
  if (objection !== null) context.addIssue({ code: "custom", message: objection });
});

/** Of a token. Who has a name that could not be taken any more keeps it, which is seen when it is compared. */
export const claimedUsername = anyUsername;

/** In what the server says: names that were taken before the rule for them are shown as they are. */
export const storedUsername = z.string();

/** An id that a client may bring; what the server makes (UUIDv7) is of the same form. */
export const resourceId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "expected 1 to 64 of A-Z a-z 0-9 _ -");

export const clientId = text(64).min(1, "expected 1 to 64 characters");

const MAX_URL = 2048;

/** An absolute http or https URL. */
export const httpUrl = text(MAX_URL).refine(isHttpUrl, "expected an http or https URL");

/** An http or https URL, or a relative reference such as a file name; never another scheme (RFC 3986, 4.2). */
export const mediaReference = text(MAX_URL)
  .min(1)
  .refine((value) => isHttpUrl(value) || isRelativeReference(value), "expected an http or https URL or a relative one");

function isHttpUrl(value: string): boolean {
  return /^https?:\/\//i.test(value) && URL.canParse(value);
}

function isRelativeReference(value: string): boolean {
  // Browsers drop control characters and leading blanks before they look for a scheme, so neither may hide one; `//host`
  // and backslashes would leave the site.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0020\u007f\\]/.test(value) || value.startsWith("//")) return false;
  return !/^[^/?#]*:/.test(value);
}

export const mediaType = z.enum(["VIDEO", "AUDIO", "IMAGE", "FILE"]);

/** A position in a conversation: 0 is before its first change. */
export const seq = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

/** ISO 8601, UTC, milliseconds. */
export const timestamp = z.iso.datetime();
