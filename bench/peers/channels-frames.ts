/** The channels dialect's frames, as far as a peer speaks it: as in `server/protocol/channels.ts`. */
import type { RawData } from "ws";
import type { Room, User } from "./directory.ts";
import type { Message } from "./messages.ts";

export interface ChatMessageFrame {
  readonly message: string;
  readonly client_id?: string;
}

/** Null: not a `chat_message` with a text. */
export function parseChatMessage(data: RawData): ChatMessageFrame | null {
  let frame: unknown;
  try {
    frame = JSON.parse(data.toString());
  } catch {
    return null;
  }
  return isChatMessage(frame) ? frame : null;
}

function isChatMessage(frame: unknown): frame is ChatMessageFrame {
  if (typeof frame !== "object" || frame === null) return false;
  const { type, message, client_id: clientId } = frame as Record<string, unknown>;
  return (
    type === "chat_message" && typeof message === "string" && (clientId === undefined || typeof clientId === "string")
  );
}

/** One text for all sockets of the room, in which the room has the name that its sender gave it. */
export function chatMessage({ id, seq, text, createdAt, sender, roomName, clientId }: Message): string {
  return JSON.stringify({
    type: "chat_message",
    id,
    seq,
    message: text,
    multimedia_url: null,
    date_added: createdAt,
    from_user: { username: sender.name },
    room: roomName,
    client_id: clientId,
  });
}

/** The first frame on a room's socket: what comes next has the number after this one. */
export function resumed({ seq }: Room): string {
  return JSON.stringify({ type: "resumed", seq });
}

export function unreadCount({ unread }: User): string {
  return JSON.stringify({ type: "unread_count", unread_count: unread });
}

export function newMessageNotification({ unread }: User): string {
  return JSON.stringify({ type: "new_message_notification", unread_count: unread });
}

export const INVALID_FRAME = JSON.stringify({
  type: "error",
  code: "invalid_frame",
  message: "expected a chat_message with a text",
});
