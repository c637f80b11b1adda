/** What a verified token says of its bearer. */
import { z } from "zod";
import { describeIssues } from "../protocol/errors.ts";
import { claimedUsername, mediaReference, text, userId, username } from "../protocol/fields.ts";
import { Unauthorized } from "./unauthorized.ts";

/**
 * Undefined where the token says nothing: what is stored of the user then stays as it is, so that a token with `sub`
 * alone does not undo what a backend provisioned.
 */
export interface Claims {
  readonly id: string;
  /** Undefined: the stored one, or for somebody unseen so far `usernameForNewUser`. */
  readonly username: string | undefined;
  readonly name: string | undefined;
  readonly firstName: string | undefined;
  readonly lastName: string | undefined;
  /** Null: the token says that there is none. */
  readonly avatar: string | null | undefined;
}

/** UTF-16 units of a name. */
const MAX_NAME = 256;

/** Of what JavaScript, and any calendar, can name. */
const LAST_SECOND = 8_640_000_000_000;

const personName = text(MAX_NAME).nullish();
const picture = z.union([z.literal(""), mediaReference], "expected an http or https URL or a relative one").nullish();

/**
 * Claims beyond these are none of our business and ignored. One of these with a wrong type or form refuses the token:
 * tokens are the operator's own issuer's, and a refusal that names the claim is found at the first try, where a value
 * dropped in silence is found by a user.
 */
const claimsSchema = z.object({
  sub: userId,
  exp: z.number().min(0).max(LAST_SECOND, "expected seconds since 1970").optional(),
  username: claimedUsername.nullish(),
  name: personName,
  first_name: personName,
  given_name: personName,
  last_name: personName,
  family_name: personName,
  avatar: picture,
  picture,
});

/**
 * The claims of a verified payload, and `exp` as epoch milliseconds. Where two spellings of a claim are given, ours
 * (`first_name`, `avatar`) goes before OpenID Connect's (`given_name`, `picture`).
 *
 * @throws Unauthorized naming the claim that is missing or of the wrong form
 */
export function readClaims(payload: unknown): { claims: Claims; expiresAt: number | null } {
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success) throw new Unauthorized(`the token's claims are not valid: ${describeIssues(parsed.error)}`);
  const said = parsed.data;
  return {
    claims: {
      id: said.sub,
      username: said.username ?? undefined,
      // Everybody has a name to be shown by, so that an empty one says nothing.
      name: said.name || undefined,
      firstName: emptyForNull(preferred(said.first_name, said.given_name)),
      lastName: emptyForNull(preferred(said.last_name, said.family_name)),
      avatar: nullForEmpty(preferred(said.avatar, said.picture)),
    },
    expiresAt: said.exp === undefined ? null : said.exp * 1000,
  };
}

/** Not `??`: a null of ours says that there is none, and is not made up for by their spelling. */
function preferred<T>(ours: T | undefined, theirs: T | undefined): T | undefined {
  return ours === undefined ? theirs : ours;
}

function emptyForNull(value: string | null | undefined): string | undefined {
  return value === null ? "" : value;
}

function nullForEmpty(value: string | null | undefined): string | null | undefined {
  return value === "" ? null : value;
}

/**
 * The username of somebody the server has not seen before: the claim's, else their id.
 *
 * @throws Unauthorized when there is no claim and the id cannot be a username
 */
export function usernameForNewUser(claims: Claims): string {
  const parsed = username.safeParse(claims.username ?? claims.id);
  if (parsed.success) return parsed.data;
  throw new Unauthorized("the token has no username, and its sub cannot be one");
}
