/** What a developer can say on each dialect, with an example of its data. The types are the protocol's own. */
import type { Dialects, RoomClientFrame } from "../client/index.ts";

export type WireDialect = "channels" | "/chat" | "/rooms";

/** What the examples speak of. Where the room has nothing of the kind, its place is taken by a word in angle brackets. */
export interface WireNames {
  /** User id. */
  readonly me: string;
  /** User id of the other, or of another member. */
  readonly other: string;
  readonly conversation: string;
  readonly message: string;
  readonly ownMessage: string;
}

type ChannelsType = Exclude<RoomClientFrame["type"], "ping">;
type ChannelsData<Type> = Omit<Extract<RoomClientFrame, { type: Type }>, "type">;
type Sends<Path extends keyof Dialects> = Omit<Dialects[Path]["sends"], "ping">;

type Examples<Data> = { readonly [Name in keyof Data]: (names: WireNames) => Data[Name] };

const channels: Examples<{ [Type in ChannelsType]: ChannelsData<Type> }> = {
  chat_message: () => ({ message: "Hello from the wire" }) as ChannelsData<"chat_message">,
  typing: () => ({ is_typing: true }),
  read_messages: ({ message }) => ({ id: message }),
  edit_message: ({ ownMessage }) => ({ id: ownMessage, message: "Another text" }),
  pin_message: ({ message }) => ({ id: message, pinned: true }),
  delete_message: ({ ownMessage }) => ({ id: ownMessage }),
};

const liveChat: Examples<Sends<"/chat">> = {
  "chat:message_send": ({ other }) => ({ receiverId: other, content: "Hello from the wire" }),
  "chat:message_edit": ({ ownMessage }) => ({ messageId: ownMessage, content: "Another text" }),
  "chat:message_delete": ({ ownMessage }) => ({ messageId: ownMessage }),
  "chat:message_pin": ({ message }) => ({ messageId: message, pinned: true }),
  "chat:message_read": ({ message }) => ({ messageId: message }),
  "chat:typing_start": ({ conversation }) => ({ chatId: conversation }),
  "chat:typing_stop": ({ conversation }) => ({ chatId: conversation }),
  "user:get_status": ({ other }) => ({ userId: other }),
};

const rooms: Examples<Sends<"/rooms">> = {
  connectRooms: ({ me }) => ({ user_id: me }),
  sendMessage: ({ conversation }) => ({ room_id: conversation, message: "Hello from the wire" }),
  sendNewMessage: ({ other }) => ({
    room_name: "",
    type: "peer-to-peer",
    recipient_id: [other],
    message: { message: "Hello from the wire" },
  }),
  typing: ({ conversation }) => ({ room_id: conversation, message: "typing" }),
  editMessage: ({ conversation, ownMessage }) => ({
    room_id: conversation,
    message_id: ownMessage,
    message: "Another text",
  }),
  deleteMessage: ({ conversation, ownMessage }) => ({ room_id: conversation, message_id: ownMessage }),
  messageSeen: ({ conversation, message }) => ({ room_id: conversation, message_id: message }),
  pinMessage: ({ conversation, message }) => ({ room_id: conversation, _id: message, pin_message: true }),
  createGroup: ({ other }) => ({ room_name: "A group", recipients: [other], type: "group-chat" }),
  updateGroup: ({ conversation }) => ({ room_id: conversation, room_name: "Another name" }),
  addMembers: ({ conversation, other }) => ({ room_id: conversation, members: [other] }),
  removeMember: ({ conversation, other }) => ({ room_id: conversation, user_id: other }),
  leaveGroup: ({ conversation }) => ({ room_id: conversation }),
};

const examples: Record<WireDialect, Examples<Record<string, object>>> = {
  channels,
  "/chat": liveChat,
  "/rooms": rooms,
};

export function eventNames(dialect: WireDialect): string[] {
  return Object.keys(examples[dialect]);
}

/** JSON, in many lines. */
export function exampleText(dialect: WireDialect, name: string, names: WireNames): string {
  return JSON.stringify(examples[dialect][name]?.(names) ?? {}, null, 2);
}
