/**
 * Whether something that came over the channel layer has the form of an event. Checked by hand, field by field: it is done
 * for every message that another node sends, where a schema library would take longer than all the rest of the delivery.
 * The tables are typed over the events, so that a new field does not compile until it is checked.
 */
import type { ConversationEvent, UserEvent } from "../core/events.ts";
import type { Message, Profile, UserReference } from "../core/model.ts";

type Check = (value: unknown) => boolean;
type Fields<T> = { readonly [Field in keyof T]-?: Check };

const isText: Check = (value) => typeof value === "string";
const isTextOrNull: Check = (value) => value === null || typeof value === "string";
const isFlag: Check = (value) => typeof value === "boolean";
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isNumber: Check = (value) => Number.isSafeInteger(value) && (value as number) > 0;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Fields that are not in the table are let pass: a later version of a node may say more. */
function shape<T>(fields: Fields<T>): Check {
  const checks = Object.entries(fields) as [string, Check][];
  return (value) => isObject(value) && checks.every(([field, check]) => check(value[field]));
}

function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

const isReference = shape<UserReference>({ id: isText, username: isText });
const isReferenceOrNull: Check = (value) => value === null || isReference(value);

const isProfile = shape<Profile>({
  id: isText,
  username: isText,
  name: isText,
  firstName: isText,
  lastName: isText,
  avatar: isTextOrNull,
});

const isMessage = shape<Message>({
  id: isText,
  conversationId: isText,
  seq: isNumber,
  changedSeq: isNumber,
  sender: isProfile,
  clientId: isTextOrNull,
  text: isText,
  mediaUrl: isTextOrNull,
  mediaType: isTextOrNull,
  messageType: isTextOrNull,
  attachments: listOf((value) => typeof value === "string" || isObject(value)),
  replyTo: isTextOrNull,
  replyQuote: (value) => value === null || isObject(value),
  isStoryReply: isFlag,
  fileIdentifier: isTextOrNull,
  mediaUrlExpiration: isTextOrNull,
  opensConversation: isFlag,
  createdAt: isText,
  editedAt: isTextOrNull,
  deletedAt: isTextOrNull,
  deletedBy: isReferenceOrNull,
  pinnedAt: isTextOrNull,
  pinnedBy: isReferenceOrNull,
});

const isAny: Check = () => true;
const ofConversation = { type: isAny, conversationId: isText };
const change = { ...ofConversation, seq: isNumber, membership: isCount, message: isMessage, actor: isReference };
const ofMembership = { ...ofConversation, membership: isCount, membersCount: isCount };

type Shapes<Event extends { readonly type: string }> = {
  readonly [Type in Event["type"]]: Fields<Extract<Event, { type: Type }>>;
};

const CONVERSATION_EVENTS: Shapes<ConversationEvent> = {
  message_created: change,
  message_edited: change,
  message_deleted: change,
  message_pinned: { ...change, pinned: isFlag },
  messages_read: {
    ...ofConversation,
    user: isReference,
    messageId: isText,
    seq: isCount,
    readAt: isText,
    unread: isCount,
    asOf: isCount,
    reads: isCount,
    announced: isFlag,
  },
  typing: {
    ...ofConversation,
    user: shape<UserReference & { firstName: string }>({ id: isText, username: isText, firstName: isText }),
    isTyping: isFlag,
    text: isTextOrNull,
  },
  members_added: { ...ofMembership, users: listOf(isReference), actor: isReference },
  member_removed: { ...ofMembership, user: isReference, actor: isReference, creatorId: isTextOrNull },
  group_updated: {
    ...ofConversation,
    name: isText,
    imageUrl: isTextOrNull,
    creatorId: isTextOrNull,
    actor: isReference,
  },
  presence_changed: { ...ofConversation, username: isText, present: isFlag },
  presence_listed: { ...ofConversation, usernames: listOf(isText) },
};

const USER_EVENTS: Shapes<UserEvent> = {
  conversation_joined: {
    type: isAny,
    userId: isText,
    conversationId: isText,
    from: isCount,
    membership: isCount,
    otherId: isTextOrNull,
  },
  conversation_left: { type: isAny, userId: isText, conversationId: isText, membership: isCount },
};

function checksOf(shapes: Readonly<Record<string, Readonly<Record<string, Check>>>>): ReadonlyMap<string, Check> {
  return new Map(Object.entries(shapes).map(([type, fields]) => [type, shape(fields)]));
}

const conversationEvents = checksOf(CONVERSATION_EVENTS);
const userEvents = checksOf(USER_EVENTS);

function hasShape(checks: ReadonlyMap<string, Check>, value: unknown): boolean {
  if (!isObject(value) || typeof value.type !== "string") return false;
  return checks.get(value.type)?.(value) ?? false;
}

export function isConversationEvent(value: unknown): value is ConversationEvent {
  return hasShape(conversationEvents, value);
}

export function isUserEvent(value: unknown): value is UserEvent {
  return hasShape(userEvents, value);
}
