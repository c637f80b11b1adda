import type { ChangedMessage } from "../core/catch-up.ts";
import type { Core } from "../core/core.ts";
import { Refusal } from "../core/errors.ts";
import type { LargeRead } from "../core/large-reads.ts";
import type { Profile } from "../core/model.ts";
import type { Hub } from "../transport/hub.ts";
import type { EventCarrier, ServerEvent } from "./event-session.ts";

export interface EventReplay {
  readonly core: Pick<Core, "conversations" | "messages">;
  readonly hub: Pick<Hub, "position">;
  readonly profile: Profile;
  readonly carrier: EventCarrier;
  /** Of messages that are read at a time. */
  readonly pageBytes: number;
  /** The turn in the line for what is large that the caller has; null: one is taken if it is needed. */
  readonly turn: LargeRead | null;
  /** For each conversation the last seq that the client has. */
  readonly since: Readonly<Record<string, number>>;
  /** Whether the user is followed into this conversation at this moment. */
  readonly isFollowed: (conversationId: string) => boolean;
  readonly encoderFor: (conversationId: string) => Promise<(changed: ChangedMessage) => ServerEvent>;
  readonly resumed: (conversationId: string, seq: number) => ServerEvent;
  readonly resumeFailed: (conversationId: string, seq: number) => ServerEvent;
}

/**
 * Tells the client what it missed, conversation by conversation, as it takes it; resolves with the seq up to which each was
 * told. Storage is asked once for where the user is a member, and then only about conversations in which the client does not
 * stand at what was told here last: whatever came after that is heard.
 */
export async function replay(options: EventReplay): Promise<Map<string, number>> {
  const { core, hub, profile, carrier, since, isFollowed, resumed } = options;
  const toldUpTo = new Map<string, number>();
  const asked = Object.keys(since);
  if (asked.length === 0) return toldUpTo;
  const members = await core.conversations.memberOf(profile, asked);
  const isMember = (id: string) => isFollowed(id) && members.has(id);
  const foreign = asked.filter((id) => !isMember(id));
  let turn: LargeRead | null = null;
  try {
    for (const [conversationId, seq] of Object.entries(since)) {
      if (!isMember(conversationId)) continue;
      const position = hub.position(conversationId);
      if (seq !== position && options.turn === null) turn ??= await carrier.takeLargeRead();
      const told = seq === position ? position : await tellMissed(options, conversationId, seq);
      if (told === "gone") return toldUpTo;
      if (told === "removed") foreign.push(conversationId);
      else {
        toldUpTo.set(conversationId, told);
        if (seq === position) await carrier.emitInTurn(resumed(conversationId, seq));
      }
    }
  } finally {
    turn?.release();
  }
  refuse(carrier, foreign);
  return toldUpTo;
}

/** The seq up to which it was told, and the event that ends it; "gone": the client is, "removed": they are a member no longer. */
async function tellMissed(
  { core, profile, carrier, pageBytes, isFollowed, encoderFor, resumed, resumeFailed }: EventReplay,
  conversationId: string,
  seq: number,
): Promise<number | "gone" | "removed"> {
  const catchup = await core.messages.since(conversationId, seq);
  const { present } = catchup;
  if (catchup.status !== "complete") {
    const isTaken = await carrier.emitInTurn(resumeFailed(conversationId, present));
    return isTaken ? present : "gone";
  }
  const encode = await encoderFor(conversationId);
  for await (const page of core.messages.changed(profile, conversationId, catchup.changes, pageBytes)) {
    // What was read may have been said after a removal that is not known here yet.
    if (page === null) return "removed";
    for (const changed of page) {
      if (!isFollowed(conversationId)) return present;
      if (!(await carrier.emitInTurn(encode(changed)))) return "gone";
    }
  }
  return !isFollowed(conversationId) || (await carrier.emitInTurn(resumed(conversationId, present))) ? present : "gone";
}

/** One error for all of them, however many. */
function refuse(carrier: EventCarrier, [first, ...others]: readonly string[]): void {
  if (first === undefined) return;
  const more = others.length === 0 ? "" : `, nor of ${others.length} others`;
  carrier.emitError("forbidden", `since.${first}: you are not a member of this conversation${more}`);
}

/** What a payload says of its sender is never trusted: an id that is not the token's is refused. */
export function checkClaim(field: string, claimed: string | undefined, userId: string): void {
  if (claimed !== undefined && claimed !== userId) {
    throw new Refusal("forbidden", `${field}: it is not the id of your token`);
  }
}
