import { type Dialect, type FrameKind, KIND, OPEN, type Opening, WAIT } from "./dialect.ts";
import { bytesOf, matches } from "./scan.ts";

const TYPE = bytesOf('{"type":"');
const CHAT_MESSAGE = bytesOf('chat_message"');
const NEW_MESSAGE_NOTIFICATION = bytesOf('new_message_notification"');
const UNREAD_COUNT = bytesOf('unread_count"');
const ERROR = bytesOf('error"');

export const channelsDialect: Dialect = {
  hasAccounts: true,
  signOfLife: "",

  /** The first frame says that the socket hears what is sent from now on. */
  room: (room, token) => opening(`/ws/${room}/`, token, ""),
  badge: (token) => opening("/ws/notifications/", token, '{"type":"unread_count"'),

  chatMessage: (_room, message, clientId) => JSON.stringify({ type: "chat_message", message, client_id: clientId }),

  kindOf(bytes: Buffer, start: number, end: number): FrameKind {
    if (!matches(bytes, start, end, TYPE)) return KIND.refusal;
    const name = start + TYPE.length;
    if (matches(bytes, name, end, CHAT_MESSAGE)) return KIND.message;
    if (matches(bytes, name, end, NEW_MESSAGE_NOTIFICATION)) return KIND.badge;
    if (matches(bytes, name, end, UNREAD_COUNT)) return KIND.badge;
    return matches(bytes, name, end, ERROR) ? KIND.refusal : KIND.other;
  },
};

function opening(path: string, token: string, first: string): Opening {
  return {
    path,
    headers: { Authorization: `Bearer ${token}` },
    next(text) {
      if (text.startsWith('{"type":"error"')) throw new Error(`${path} answered ${text}`);
      return text.startsWith(first) ? OPEN : WAIT;
    },
  };
}
