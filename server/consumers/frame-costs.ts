/** What each frame and event of a client costs its user, in the units of `core/costs.ts`. */
import { costs } from "../core/costs.ts";
import type { RoomClientFrame } from "../protocol/channels.ts";
import type { LiveChatClientEvents } from "../protocol/live-chat.ts";
import type { RoomsClientEvents } from "../protocol/rooms.ts";

type FrameName = RoomClientFrame["type"] | keyof LiveChatClientEvents | keyof RoomsClientEvents;

const byName: Readonly<Record<FrameName, number>> = {
  ping: costs.frame,
  // Messages and changes have SEND_RATE beside this, and share their commits; typing has a rate of its own.
  chat_message: costs.frame,
  "chat:message_send": costs.frame,
  sendMessage: costs.frame,
  read_messages: costs.read,
  "chat:message_read": costs.read,
  messageSeen: costs.read,
  typing: costs.frame,
  "chat:typing_start": costs.frame,
  "chat:typing_stop": costs.frame,
  edit_message: costs.frame,
  "chat:message_edit": costs.frame,
  editMessage: costs.frame,
  delete_message: costs.frame,
  "chat:message_delete": costs.frame,
  deleteMessage: costs.frame,
  pin_message: costs.frame,
  "chat:message_pin": costs.frame,
  pinMessage: costs.frame,
  "user:get_status": costs.status,
  // Groups cost by their members, of SEND_RATE; this is for the look-ups around them.
  sendNewMessage: costs.lookup,
  createGroup: costs.lookup,
  addMembers: costs.lookup,
  removeMember: costs.statement,
  leaveGroup: costs.statement,
  updateGroup: costs.statement,
  connectRooms: costs.catchup,
};

/** Of a frame or event of this name; one that no dialect knows costs no more than any frame. */
export function costOf(name: string): number {
  return Object.hasOwn(byName, name) ? byName[name as FrameName] : costs.frame;
}
