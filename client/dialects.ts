/** The two event dialects as types: what is sent, what it is acknowledged with, what is heard. */
import type { LiveChatClientEvents, LiveChatServerEvents } from "../server/protocol/live-chat.ts";
import type {
  RoomsClientEvents,
  RoomsMessage,
  Room as RoomsRoom,
  RoomsServerEvents,
} from "../server/protocol/rooms.ts";
import type { Repetition } from "./requests.ts";

type DataOf<Events extends Record<string, { _zod: { output: unknown } }>> = {
  [Name in keyof Events]: Events[Name]["_zod"]["output"];
};

type Nothing = Record<string, never>;

interface LiveChatAnswers {
  "chat:message_send": LiveChatServerEvents["chat:message_receive"];
  "chat:message_edit": LiveChatServerEvents["chat:message_edited"];
  "chat:message_delete": LiveChatServerEvents["chat:message_deleted"];
  "chat:message_pin": LiveChatServerEvents["chat:message_pinned"];
  "chat:message_read": { messageId: string };
  "chat:typing_start": { chatId: string };
  "chat:typing_stop": { chatId: string };
  "user:get_status": LiveChatServerEvents["user:status"];
  ping: Nothing;
}

interface RoomsAnswers {
  connectRooms: Nothing;
  sendMessage: RoomsMessage;
  /** Without a text and attachments there is no message. */
  sendNewMessage: RoomsMessage | { room_id: string };
  typing: { room_id: string };
  createGroup: RoomsRoom;
  editMessage: RoomsServerEvents["edited"];
  deleteMessage: RoomsServerEvents["delete"];
  messageSeen: { room_id: string; message_id: string };
  pinMessage: RoomsServerEvents["pin message"];
  addMembers: { room_id: string; members: string[] };
  removeMember: { room_id: string; user_id: string };
  leaveGroup: { room_id: string };
  updateGroup: { room_id: string; room_name: string; image_url: string | null };
  ping: Nothing;
}

/** Named after a user: `group_<user id>`, and `<user id>` for every name that no other event has. */
type RoomsHeard = RoomsServerEvents & { [group: `group_${string}`]: RoomsRoom };

export interface Dialects {
  "/chat": { sends: DataOf<LiveChatClientEvents>; answers: LiveChatAnswers; hears: LiveChatServerEvents };
  "/rooms": { sends: DataOf<RoomsClientEvents>; answers: RoomsAnswers; hears: RoomsHeard };
}

export type EventPath = keyof Dialects;

/** What the connection has to know of a dialect at run time. */
export interface DialectRules {
  /** Of how many conversations the position is kept: as many as a URL, or a frame, has room for with ids of any length. */
  readonly maxPositions: number;
  /** The field that names the conversation in the data of its events. */
  readonly conversation: "chatId" | "room_id";
  /** Its `seq` is the read message's, not a change's. */
  readonly read: string;
  readonly resumed: string;
  readonly resumeFailed: string;
  /** Whether it is an event of this release; one of a later release is passed over. `user`: their id, where it is known. */
  isKnown(event: string, data: Data, user: string | null): boolean;
  /** What is not simply asked again when the line broke. */
  readonly repetitions: Readonly<Record<string, Repetition>>;
  /** The data with a client id, so that a message asked for again is the same message; `key` where it had none. */
  identify(event: string, data: Data, key: string): Data;
}

export type Data = Readonly<Record<string, unknown>>;

const chatEvents = namesOf<LiveChatServerEvents>({
  "chat:message_receive": 0,
  "chat:message_edited": 0,
  "chat:message_deleted": 0,
  "chat:message_pinned": 0,
  "chat:message_read": 0,
  "chat:typing_start": 0,
  "chat:typing_stop": 0,
  "chat:resumed": 0,
  "chat:resume_failed": 0,
  "user:status": 0,
  pong: 0,
});

const roomsEvents = namesOf<RoomsServerEvents & { "more rooms": unknown }>({
  connectRooms: 0,
  "more rooms": 0,
  message: 0,
  typing: 0,
  delete: 0,
  edited: 0,
  seen: 0,
  "pin message": 0,
  "members added": 0,
  "member removed": 0,
  "group updated": 0,
  resumed: 0,
  resume_failed: 0,
  pong: 0,
});

/** Does not compile where one is left out. */
function namesOf<Events>(names: Record<keyof Events, 0>): ReadonlySet<string> {
  return new Set(Object.keys(names));
}

export const dialectRules: Record<EventPath, DialectRules> = {
  "/chat": {
    maxPositions: 150,
    conversation: "chatId",
    read: "chat:message_read",
    resumed: "chat:resumed",
    resumeFailed: "chat:resume_failed",
    isKnown: (event) => chatEvents.has(event),
    repetitions: { "chat:typing_start": "volatile", "chat:typing_stop": "volatile" },
    identify: (event, data, key) => (event === "chat:message_send" ? identified(data, "clientId", key) : data),
  },
  "/rooms": {
    maxPositions: 500,
    conversation: "room_id",
    read: "seen",
    resumed: "resumed",
    resumeFailed: "resume_failed",
    isKnown: (event, data, user) => {
      if (roomsEvents.has(event)) return true;
      // Two are named after the user.
      if (user !== null) return event === user || event === `group_${user}`;
      return event.startsWith("group_") || typeof data.room_id === "string";
    },
    repetitions: { typing: "volatile", createGroup: "unsafe", removeMember: "unsafe", leaveGroup: "unsafe" },
    identify: (event, data, key) => {
      // With an `_id` of its own the message has one for both, and a group that is made for it is found again.
      if (event === "sendNewMessage") return { ...data, message: identified(data.message as Data, "_id", key) };
      return event === "sendMessage" && !data._id ? identified(data, "client_id", key) : data;
    },
  },
};

function identified(data: Data, field: string, key: string): Data {
  // An empty one is none, to the server as well.
  return { ...data, [field]: data[field] || key };
}
