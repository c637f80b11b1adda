/** Events of one conversation on their way between nodes: JSON, without the many fields that a message usually has not. */
import { type ConversationEvent, isChange, type UserEvent } from "../core/events.ts";
import type { Message } from "../core/model.ts";
import { isConversationEvent, isUserEvent } from "./event-shapes.ts";

type EverPresent = "id" | "conversationId" | "seq" | "changedSeq" | "sender" | "text" | "createdAt";

/** What a field that was left out is. The type names them all: a new field does not compile until it has its place. */
const ABSENT: { readonly [Field in Exclude<keyof Message, EverPresent>]: Message[Field] } = {
  mediaUrl: null,
  mediaType: null,
  messageType: null,
  attachments: [],
  replyTo: null,
  replyQuote: null,
  isStoryReply: false,
  fileIdentifier: null,
  mediaUrlExpiration: null,
  clientId: null,
  opensConversation: false,
  editedAt: null,
  deletedAt: null,
  deletedBy: null,
  pinnedAt: null,
  pinnedBy: null,
};

const OPTIONAL = Object.keys(ABSENT) as (keyof typeof ABSENT)[];

/** Begins every payload; another one is another form of it, which a node of this version does not read. */
const VERSION = "1";

/** Characters. A batch of the writer's is a hundredth of it; what is longer comes from nobody who keeps to the limits. */
const MAX_PAYLOAD = 16 * 1024 * 1024;

/** What the other nodes are told of a user: an event, or that some were lost on the way. */
export type UserPayload = UserEvent | { readonly type: "missed_events"; readonly userId: string };

/** What of a payload could be read. */
export interface DecodedEvents {
  readonly events: readonly ConversationEvent[];
  /** False: some of it, or all, could not. What is missing is to be found in storage. */
  readonly isWhole: boolean;
}

const UNREADABLE: DecodedEvents = { events: [], isWhole: false };

export function encodeEvents(events: readonly ConversationEvent[]): string {
  const said = events.map((event) => (isChange(event) ? { ...event, message: withoutAbsent(event.message) } : event));
  return VERSION + JSON.stringify(said);
}

/** Never throws. `conversationId`: whose group it came on; what speaks of another conversation is not read. */
export function decodeEvents(payload: string, conversationId: string): DecodedEvents {
  const said = parse(payload);
  if (!Array.isArray(said)) return UNREADABLE;
  const events = said
    .map((event: unknown) => withAbsent(event, conversationId))
    .filter((event) => isConversationEvent(event) && event.conversationId === conversationId) as ConversationEvent[];
  return { events, isWhole: events.length === said.length };
}

export function encodeUserPayload(payload: UserPayload): string {
  return VERSION + JSON.stringify(payload);
}

/** Null: it cannot be read, or speaks of another user than the one on whose group it came. Never throws. */
export function decodeUserPayload(payload: string, userId: string): UserPayload | null {
  const said = parse(payload);
  if (typeof said !== "object" || said === null || !("userId" in said) || said.userId !== userId) return null;
  if (isUserEvent(said)) return said;
  return "type" in said && said.type === "missed_events" ? { type: "missed_events", userId } : null;
}

function parse(payload: string): unknown {
  if (payload[0] !== VERSION || payload.length > MAX_PAYLOAD) return null;
  try {
    return JSON.parse(payload.slice(1));
  } catch {
    return null;
  }
}

function withAbsent(event: unknown, conversationId: string): unknown {
  if (typeof event !== "object" || event === null || !("message" in event)) return event;
  const { message } = event;
  return typeof message === "object" && message !== null
    ? { ...event, message: { ...ABSENT, ...message, conversationId } }
    : event;
}

function withoutAbsent(message: Message): object {
  const { id, seq, changedSeq, sender, text, createdAt } = message;
  const kept: Record<string, unknown> = { id, seq, changedSeq, sender, text, createdAt };
  for (const field of OPTIONAL) {
    const value = message[field];
    const isAbsent = field === "attachments" ? message.attachments.length === 0 : value === ABSENT[field];
    if (!isAbsent) kept[field] = value;
  }
  return kept;
}
