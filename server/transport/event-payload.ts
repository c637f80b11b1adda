/** Events of one conversation on their way between nodes: JSON, without the many fields that a message usually has not. */
import { type ConversationEvent, isChange } from "../core/events.ts";
import type { Message } from "../core/model.ts";

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

export function encodeEvents(events: readonly ConversationEvent[]): string {
  return JSON.stringify(
    events.map((event) => (isChange(event) ? { ...event, message: withoutAbsent(event.message) } : event)),
  );
}

export function decodeEvents(payload: string): ConversationEvent[] {
  const events: ConversationEvent[] = JSON.parse(payload);
  return events.map((event) =>
    isChange(event)
      ? { ...event, message: { ...ABSENT, ...event.message, conversationId: event.conversationId } }
      : event,
  );
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
