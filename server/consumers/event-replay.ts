import type { Core } from "../core/core.ts";
import { Refusal } from "../core/errors.ts";
import type { Profile } from "../core/model.ts";
import type { ChangedMessage } from "../core/store.ts";
import type { EventCarrier, ServerEvent } from "./event-session.ts";

/** How many events of a replay are due at once: at their largest they stay below MAX_BUFFERED_BYTES. */
const EVENTS_PER_DRAIN = 8;

export interface EventReplay {
  readonly core: Pick<Core, "conversations" | "messages">;
  readonly profile: Profile;
  readonly carrier: EventCarrier;
  /** For each conversation the last seq that the client has. */
  readonly since: Readonly<Record<string, number>>;
  /** Whether the user is followed into this conversation at this moment. */
  readonly isFollowed: (conversationId: string) => boolean;
  readonly encode: (changed: ChangedMessage) => ServerEvent;
  readonly resumed: (conversationId: string, seq: number) => ServerEvent;
  readonly resumeFailed: (conversationId: string, seq: number) => ServerEvent;
}

/** Tells the client what it missed, conversation by conversation; resolves with the seq up to which each was told. */
export async function replay(options: EventReplay): Promise<Map<string, number>> {
  const { core, profile, carrier, since, isFollowed, encode, resumed, resumeFailed } = options;
  const toldUpTo = new Map<string, number>();
  for (const [conversationId, seq] of Object.entries(since)) {
    const catchup = isFollowed(conversationId) ? await core.messages.since(conversationId, seq) : null;
    // Asked after reading: what was read may have been said after a removal that is not known here yet.
    if (catchup === null || !(await core.conversations.isMember(profile, conversationId))) {
      carrier.emitError("forbidden", `since.${conversationId}: you are not a member of this conversation`);
      continue;
    }
    toldUpTo.set(conversationId, catchup.present);
    if (catchup.status !== "complete") {
      carrier.emit(resumeFailed(conversationId, catchup.present));
      continue;
    }
    for (const [index, changed] of catchup.messages.entries()) {
      if (!isFollowed(conversationId)) break;
      carrier.emit(encode(changed));
      if (index % EVENTS_PER_DRAIN === 0) await carrier.drained();
    }
    if (isFollowed(conversationId)) carrier.emit(resumed(conversationId, catchup.present));
  }
  return toldUpTo;
}

/** What a payload says of its sender is never trusted: an id that is not the token's is refused. */
export function checkClaim(field: string, claimed: string | undefined, userId: string): void {
  if (claimed !== undefined && claimed !== userId) {
    throw new Refusal("forbidden", `${field}: it is not the id of your token`);
  }
}
