/** A conversation in the list, and what becomes of it by each event of `/rooms`. Pure. */
import type { ConversationBody, EventFrame, MessageBody, RoomsMessage } from "../client/index.ts";
import { displayName } from "./people.ts";

export interface ListedMessage {
  readonly id: string;
  /** The number that its creation took, or a later one of the same message. */
  readonly seq: number;
  readonly isOwn: boolean;
  readonly senderName: string;
  readonly text: string;
  readonly mediaType: string | null;
  readonly isDeleted: boolean;
  /** ISO 8601. */
  readonly sentAt: string;
}

export interface Listed {
  readonly id: string;
  readonly name: string;
  readonly imageUrl: string | null;
  /** Of a direct conversation; null for a group. */
  readonly other: ConversationBody["other_user"];
  readonly last: ListedMessage | null;
  readonly unread: number;
  /** Of the newest change that is in here. */
  readonly seq: number;
  /** The numbers of others' messages after `arrivedAfter`, all of them: so it is known what is unread after one that was read. */
  readonly arrived: readonly number[];
  readonly arrivedAfter: number;
  /** How far one is known to have read since the server was asked. */
  readonly readTo: number;
  /** ISO 8601. */
  readonly updatedAt: string;
}

export interface Onlooker {
  /** User id. */
  readonly me: string;
  /** By user id; null of somebody who is not known. */
  nameOf(userId: string): string | null;
}

/** Numbers that are kept of a conversation in which much is said while nobody reads. */
const MAX_ARRIVED = 200;

export function listedOf(body: ConversationBody, { me }: Onlooker): Listed {
  const { id, name, image_url: imageUrl, other_user: other, last_message: last, unread_count: unread, seq } = body;
  return {
    id,
    name: other === null ? name : displayName(other),
    imageUrl,
    other,
    last: last === null ? null : messageOf(last, me),
    unread,
    seq,
    arrived: [],
    arrivedAfter: seq,
    readTo: 0,
    updatedAt: body.updated_at,
  };
}

/** Newest first. */
export function inOrder(conversations: readonly Listed[]): Listed[] {
  return conversations.toSorted((one, other) =>
    one.updatedAt === other.updatedAt ? compare(other.id, one.id) : compare(other.updatedAt, one.updatedAt),
  );
}

/**
 * The conversation after that event: the same one where it changes nothing, or is of a kind that this page does not know. Null
 * where only the server can tell: which of several messages that are unread was read, or deleted.
 */
export function withEvent(listed: Listed, { event, data }: EventFrame, onlooker: Onlooker): Listed | null {
  const fields = data as Fields;
  // A message comes as an event of one's own name to sockets that are not in its room yet.
  const name = event === onlooker.me ? "message" : event;
  if (name === "seen") return withReading(listed, fields, onlooker);
  if (name === "group updated") {
    const { room_name: name = listed.name, image_url: imageUrl = listed.imageUrl } = fields;
    return { ...listed, name, imageUrl };
  }
  const { seq } = fields;
  if (typeof seq !== "number" || seq <= listed.seq) return listed;
  switch (name) {
    case "message":
      return withMessage(listed, data as RoomsMessage, onlooker);
    case "edited":
      return withLast({ ...listed, seq }, fields.message_id, { text: fields.message ?? "" });
    case "delete":
      if (listed.unread > 0) return null;
      return withLast({ ...listed, seq }, fields.message_id, { isDeleted: true, text: "" });
    case "pin message":
      return { ...listed, seq };
    default:
      return listed;
  }
}

/** Of those events that change a conversation in the list. */
interface Fields {
  readonly seq?: number;
  readonly user_id?: string;
  readonly message_id?: string;
  readonly message?: string;
  readonly room_name?: string;
  readonly image_url?: string | null;
}

function withReading(listed: Listed, { user_id: reader, seq = 0 }: Fields, { me }: Onlooker): Listed | null {
  // What others have read is no count of ours; and one's own reading is told over two lines.
  if (reader !== me || listed.unread === 0 || seq <= listed.readTo) return listed;
  const isAll = listed.last === null || seq >= listed.last.seq;
  if (!isAll && seq < listed.arrivedAfter) return null;
  const arrived = isAll ? [] : listed.arrived.filter((arrival) => arrival > seq);
  const arrivedAfter = isAll ? listed.seq : seq;
  return { ...listed, unread: arrived.length, arrived, arrivedAfter, readTo: seq };
}

function withMessage(listed: Listed, message: RoomsMessage, { me, nameOf }: Onlooker): Listed {
  if (message.repeated === true) return listed;
  const { seq, sender_id: sender, first_name: first, last_name: family } = message;
  const isOwn = sender === me;
  const isDeleted = message.deleted === true;
  const last = {
    id: message._id,
    seq,
    isOwn,
    senderName: nameOf(sender) ?? ([first, family].filter(Boolean).join(" ") || sender),
    text: message.message,
    mediaType: message.media_type ?? null,
    isDeleted,
    sentAt: message.dateCreated,
  };
  const isUnread = !isOwn && !isDeleted;
  const unread = isUnread ? listed.unread + 1 : listed.unread;
  const arrived = isUnread ? [...listed.arrived, seq].slice(-MAX_ARRIVED) : listed.arrived;
  const dropped = isUnread && listed.arrived.length === MAX_ARRIVED ? listed.arrived[0] : undefined;
  const updatedAt = compare(message.dateCreated, listed.updatedAt) > 0 ? message.dateCreated : listed.updatedAt;
  return { ...listed, seq, last, unread, arrived, arrivedAfter: dropped ?? listed.arrivedAfter, updatedAt };
}

function withLast(listed: Listed, id: string | undefined, changes: Partial<ListedMessage>): Listed {
  const { last } = listed;
  return last === null || last.id !== id ? listed : { ...listed, last: { ...last, ...changes } };
}

function messageOf(body: MessageBody, me: string): ListedMessage {
  const { id, seq, from_user: sender, content, media_type: mediaType, deleted: isDeleted, date_added: sentAt } = body;
  return {
    id,
    seq,
    isOwn: sender.id === me,
    senderName: displayName(sender),
    text: content,
    mediaType,
    isDeleted,
    sentAt,
  };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
