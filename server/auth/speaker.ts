import { Refusal } from "../core/errors.ts";
import type { Profile } from "../core/model.ts";
import type { RateLimit } from "../core/rate.ts";
import type { Users } from "../core/users.ts";
import type { Authenticator } from "./authenticator.ts";
import { Unauthorized } from "./unauthorized.ts";

/** Who speaks, and until when their token lets them. */
export interface Speaker {
  readonly profile: Profile;
  /** Milliseconds since the epoch; null: no end. */
  readonly expiresAt: number | null;
}

export interface SpeakerServices {
  readonly authenticate: Authenticator;
  readonly users: Users;
  readonly commandRate: RateLimit;
}

/**
 * Whom a token stands for. `cost`: of what they come for, in units of work; it is spent before storage is asked for them.
 *
 * @throws Unauthorized; Refusal `rate_limited`, `conflict` (the username is another's or a conversation's id), `unavailable`
 */
export async function speakerOf(
  token: string,
  { authenticate, users, commandRate }: SpeakerServices,
  cost: number,
): Promise<Speaker> {
  const { claims, expiresAt } = await authenticate(token);
  commandRate.spend(claims.id, "commands", cost);
  try {
    return { profile: await users.identify(claims), expiresAt };
  } catch (error) {
    // What the token says cannot be a user: the token's fault, not that of a field.
    if (error instanceof Refusal && error.code === "invalid_frame") throw new Unauthorized(error.message);
    throw error;
  }
}
