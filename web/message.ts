/** A message as the page shows it, made of what HTTP and the room's frames say of it. */
import type { MessageBody, RoomServerFrame } from "../client/index.ts";

export type MediaType = NonNullable<MessageBody["media_type"]>;

export interface TimelineMessage {
  readonly id: string;
  /** The number that its creation took: its place in the conversation. */
  readonly seq: number;
  /** Username. */
  readonly sender: string;
  readonly text: string;
  readonly mediaUrl: string | null;
  readonly mediaType: MediaType | null;
  readonly attachments: readonly unknown[];
  /** The id of the message that it answers. */
  readonly replyTo: string | null;
  /** ISO 8601. */
  readonly sentAt: string;
  readonly isEdited: boolean;
  readonly isPinned: boolean;
  /** Username; null while the message stands. A deleted message keeps its place, without content. */
  readonly deletedBy: string | null;
}

type Frame<Type extends RoomServerFrame["type"]> = Extract<RoomServerFrame, { type: Type }>;

export type CreationFrame = Frame<"chat_message">;
/** What changes a message that is there already. */
export type ChangeFrame = Frame<"message_edited" | "message_deleted" | "message_pinned">;

const WITHOUT_CONTENT = { text: "", mediaUrl: null, mediaType: null, attachments: [], replyTo: null, isPinned: false };

export function messageOfBody(body: MessageBody): TimelineMessage {
  return {
    id: body.id,
    seq: body.seq,
    sender: body.from_user.username,
    text: textOf(body.content),
    mediaUrl: body.multimedia_url,
    mediaType: knownMediaType(body.media_type),
    attachments: listOf(body.attachments),
    replyTo: body.reply_to,
    sentAt: body.date_added,
    isEdited: body.date_edited !== null,
    isPinned: body.pinned,
    deletedBy: null,
    ...(body.deleted && { ...WITHOUT_CONTENT, deletedBy: body.deleted_by?.username ?? body.from_user.username }),
  };
}

/** One that is not what this page takes it for takes no page of others along. */
export function isReadable(body: MessageBody): boolean {
  try {
    messageOfBody(body);
    return true;
  } catch (error) {
    console.info("a message was passed over", error, body);
    return false;
  }
}

export function messageOfFrame(frame: CreationFrame): TimelineMessage {
  return {
    id: frame.id,
    seq: frame.seq,
    sender: frame.from_user.username,
    text: textOf(frame.message),
    mediaUrl: frame.multimedia_url,
    mediaType: knownMediaType(frame.media_type),
    attachments: listOf(frame.attachments),
    replyTo: frame.reply_to ?? null,
    sentAt: frame.date_added,
    isEdited: false,
    isPinned: false,
    deletedBy: null,
  };
}

const MEDIA_TYPES: ReadonlySet<string> = new Set<MediaType>(["IMAGE", "VIDEO", "AUDIO", "FILE"]);

/** One that a later release of the server knows is shown as its address tells, and loses no message. */
function knownMediaType(type: MediaType | null | undefined): MediaType | null {
  return type && MEDIA_TYPES.has(type) ? type : null;
}

function textOf(text: unknown): string {
  return typeof text === "string" ? text : "";
}

function listOf(attachments: readonly unknown[] | undefined): readonly unknown[] {
  return Array.isArray(attachments) ? attachments : [];
}

/** The message after that change. */
export function changed(message: TimelineMessage, change: ChangeFrame): TimelineMessage {
  switch (change.type) {
    case "message_edited":
      return { ...message, text: textOf(change.message), isEdited: true, isPinned: change.pinned ?? message.isPinned };
    case "message_deleted":
      return { ...message, ...WITHOUT_CONTENT, deletedBy: change.deleted_by };
    case "message_pinned":
      return { ...message, isPinned: change.pinned };
  }
}
