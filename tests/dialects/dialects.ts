/** The three dialects behind one face: what a scenario does and what it sees, in whichever of them. */
import { roomServerFrame } from "../../server/protocol/channels.ts";
import type { Communicator, Frame } from "../support/communicator.ts";
import type { Stack } from "../support/stack.ts";
import { enterRooms, openChat } from "./sockets.ts";

/** What a change of a conversation, or a read mark in it, comes to in every dialect. */
export interface Observation {
  readonly what: "created" | "edited" | "pinned" | "unpinned" | "read" | "deleted";
  readonly id: string;
  readonly seq: number;
  readonly by: string;
  readonly text?: string;
}

export interface Dialect {
  readonly name: string;
  open(stack: Stack, userId: string, roomId: string, node: number): Promise<Communicator>;
  send(roomId: string, message: string): object;
  edit(roomId: string, id: string, text: string): object;
  pin(roomId: string, id: string, pinned: boolean): object;
  read(roomId: string, id: string): object;
  delete(roomId: string, id: string): object;
  /** Null for what is no observation: acknowledgements, presence. */
  observe(frame: Frame): Observation | null;
}

const pinning = (pinned: boolean) => (pinned ? "pinned" : "unpinned");

const channels: Dialect = {
  name: "channels",
  open: async (stack, userId, roomId, node) =>
    (await stack.connect(userId, `/ws/${roomId}/`, { node })).expectFrames(roomServerFrame),
  send: (_room, message) => ({ type: "chat_message", message }),
  edit: (_room, id, message) => ({ type: "edit_message", id, message }),
  pin: (_room, id, pinned) => ({ type: "pin_message", id, pinned }),
  read: (_room, id) => ({ type: "read_messages", id }),
  delete: (_room, id) => ({ type: "delete_message", id }),
  observe: (frame) => {
    const { id, seq } = frame;
    switch (frame.type) {
      case "chat_message":
        return { what: "created", id, seq, by: frame.from_user.username, text: frame.message };
      case "message_edited":
        return { what: "edited", id, seq, by: frame.from_user.username, text: frame.message };
      case "message_pinned":
        return { what: pinning(frame.pinned), id, seq, by: frame.pinned_by };
      case "messages_read":
        return { what: "read", id, seq, by: frame.user };
      case "message_deleted":
        return { what: "deleted", id, seq, by: frame.deleted_by };
      default:
        return null;
    }
  },
};

const liveChat: Dialect = {
  name: "live chat",
  open: (stack, userId, _roomId, node) => openChat(stack, userId, { node }),
  send: (chatId, content) => ({ event: "chat:message_send", data: { chatId, content } }),
  edit: (_room, messageId, content) => ({ event: "chat:message_edit", data: { messageId, content } }),
  pin: (_room, messageId, pinned) => ({ event: "chat:message_pin", data: { messageId, pinned } }),
  read: (_room, messageId) => ({ event: "chat:message_read", data: { messageId } }),
  delete: (_room, messageId) => ({ event: "chat:message_delete", data: { messageId } }),
  observe: ({ event, data }) => {
    const { messageId: id, seq } = data;
    switch (event) {
      case "chat:message_receive":
        return { what: "created", id: data.id, seq, by: data.sender.id, text: data.content };
      case "chat:message_edited":
        return { what: "edited", id, seq, by: data.editedBy, text: data.content };
      case "chat:message_pinned":
        return { what: pinning(data.pinned), id, seq, by: data.pinnedBy };
      case "chat:message_read":
        return { what: "read", id, seq, by: data.readBy };
      case "chat:message_deleted":
        return { what: "deleted", id, seq, by: data.deletedBy };
      default:
        return null;
    }
  },
};

const rooms: Dialect = {
  name: "rooms",
  open: async (stack, userId, _roomId, node) => (await enterRooms(stack, userId, { node })).socket,
  send: (room_id, message) => ({ event: "sendMessage", data: { room_id, message } }),
  edit: (room_id, message_id, message) => ({ event: "editMessage", data: { room_id, message_id, message } }),
  pin: (room_id, _id, pin_message) => ({ event: "pinMessage", data: { room_id, _id, pin_message } }),
  read: (room_id, message_id) => ({ event: "messageSeen", data: { room_id, message_id } }),
  delete: (room_id, message_id) => ({ event: "deleteMessage", data: { room_id, message_id } }),
  observe: ({ event, data }) => {
    const { message_id: id, seq } = data;
    switch (event) {
      case "message":
        return { what: "created", id: data._id, seq, by: data.sender_id, text: data.message };
      case "edited":
        return { what: "edited", id, seq, by: data.user_id, text: data.message };
      case "pin message":
        return { what: pinning(data.pin_message), id: data._id, seq, by: data.user_id };
      case "seen":
        return { what: "read", id, seq, by: data.user_id };
      case "delete":
        return { what: "deleted", id, seq, by: data.user_id };
      default:
        return null;
    }
  },
};

export const dialects: readonly Dialect[] = [channels, liveChat, rooms];

export async function observeNext(dialect: Dialect, socket: Communicator): Promise<Observation> {
  for (;;) {
    const observation = dialect.observe(await socket.receive());
    if (observation !== null) return observation;
  }
}
