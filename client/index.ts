/** The client library: `import { connectRoom } from "parley/client"`. */
export type {
  ConversationNotificationsServerFrame,
  NotificationsServerFrame,
  RoomClientFrame,
  RoomServerFrame,
} from "../server/protocol/channels.ts";
export type { ErrorCode } from "../server/protocol/errors.ts";
export type { ConversationBody, ConversationDetailsBody, MessageBody, ProfileBody } from "../server/protocol/http.ts";
export type { LiveChatServerEvents } from "../server/protocol/live-chat.ts";
export type { Room as RoomsRoom, RoomsMessage, RoomsServerEvents } from "../server/protocol/rooms.ts";
export {
  type Api,
  type ApiOptions,
  type ConversationPage,
  createApi,
  developmentToken,
  type MessagePage,
} from "./api.ts";
export type { BackoffOptions } from "./backoff.ts";
export type { CloseReason } from "./close-codes.ts";
export type { ConnectionState, ConnectOptions, WireFrame } from "./connect-options.ts";
export type { Dialects, EventPath } from "./dialects.ts";
export { type FailureCode, ParleyError } from "./errors.ts";
export { connectEvents, type EventFrame, type Events, type EventsOptions } from "./events.ts";
export type { HeartbeatOptions } from "./heartbeat.ts";
export type { Listening, Unsubscribe } from "./listeners.ts";
export { connectConversationNotifications, connectNotifications, type Notifications } from "./notifications.ts";
export type { RequestOptions } from "./requests.ts";
export {
  type ChatMessage,
  connectRoom,
  type Room,
  type RoomMessage,
  type RoomOptions,
  type RoomRequest,
} from "./room.ts";
export type { ServerOptions } from "./server.ts";
export type { WebSocketConstructor, WebSocketLike } from "./web-socket.ts";
