/** Which consumer speaks on which path. A newcomer reads this first. */
import { ChatConsumer } from "./consumers/chat.ts";
import type { Consumer, ConsumerServices, Handshake } from "./consumers/consumer.ts";
import { ConversationNotificationsConsumer } from "./consumers/conversation-notifications.ts";
import { envelopeConsumer } from "./consumers/envelope-consumer.ts";
import { LiveChatSession } from "./consumers/live-chat.ts";
import { NotificationsConsumer } from "./consumers/notifications.ts";
import { RoomsSession } from "./consumers/rooms.ts";

export interface SocketRoute {
  /** `:name` is one part of the path, decoded. A trailing slash is optional. */
  readonly path: string;
  readonly consumer: new (services: ConsumerServices, handshake: Handshake) => Consumer;
}

export const socketRoutes: readonly SocketRoute[] = [
  { path: "/ws/notifications", consumer: NotificationsConsumer },
  { path: "/ws/notifications/:user", consumer: ConversationNotificationsConsumer },
  { path: "/ws/:room", consumer: ChatConsumer },
  { path: "/chat", consumer: envelopeConsumer(LiveChatSession) },
  { path: "/rooms", consumer: envelopeConsumer(RoomsSession) },
];
