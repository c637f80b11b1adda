/** Socket.IO 5 over Engine.IO 4, websocket alone. Source: the two protocols' documents of those versions. */
import { type Dialect, type FrameKind, KIND, OPEN, type Opening, type Step, WAIT } from "./dialect.ts";
import { bytesOf, matches } from "./scan.ts";

/** Engine.IO message, Socket.IO event. */
const EVENT = bytesOf('42["');
const CHAT_MESSAGE = bytesOf('chat_message"');
const NEW_MESSAGE_NOTIFICATION = bytesOf('new_message_notification"');
const UNREAD_COUNT = bytesOf('unread_count"');
const PING = bytesOf("2");
const PONG = "3";
/** Engine.IO message; Socket.IO disconnect and connect error. */
const DISCONNECT = bytesOf("41");
const CONNECT_ERROR = bytesOf("44");

export const socketIoDialect: Dialect = {
  hasAccounts: false,
  signOfLife: PONG,

  room: (room, token) => opening(token, `420${JSON.stringify(["join", { room }])}`, "430"),
  badge: (token) => opening(token, '420["notifications",{}]', '42["unread_count"'),

  chatMessage: (room, message, clientId) =>
    `42${JSON.stringify(["chat_message", { room, message, client_id: clientId }])}`,

  kindOf(bytes: Buffer, start: number, end: number): FrameKind {
    if (matches(bytes, start, end, EVENT)) {
      const name = start + EVENT.length;
      if (matches(bytes, name, end, CHAT_MESSAGE)) return KIND.message;
      if (matches(bytes, name, end, NEW_MESSAGE_NOTIFICATION)) return KIND.badge;
      return matches(bytes, name, end, UNREAD_COUNT) ? KIND.badge : KIND.other;
    }
    if (end - start === 1 && matches(bytes, start, end, PING)) return KIND.keepAlive;
    const isRefusal = matches(bytes, start, end, DISCONNECT) || matches(bytes, start, end, CONNECT_ERROR);
    return isRefusal ? KIND.refusal : KIND.other;
  },
};

/** `request`: an event with the acknowledgement number 0. `answer`: what the text that opens the socket begins with. */
function opening(token: string, request: string, answer: string): Opening {
  return {
    path: "/socket.io/?EIO=4&transport=websocket",
    headers: {},
    next(text): Step {
      if (text.startsWith("0")) return { step: "send", text: `40${JSON.stringify({ token })}` };
      if (text.startsWith("40")) return { step: "send", text: request };
      if (text.startsWith("41") || text.startsWith("44")) throw new Error(`Socket.IO answered ${text}`);
      if (text === "2") return { step: "send", text: PONG };
      return text.startsWith(answer) ? OPEN : WAIT;
    },
  };
}
