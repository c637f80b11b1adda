import type { ConversationNotificationsServerFrame, NotificationsServerFrame } from "../server/protocol/channels.ts";
import type { ConnectOptions } from "./connect-options.ts";
import { Connection } from "./connection.ts";
import type { Listening, Unsubscribe } from "./listeners.ts";
import { segment } from "./server.ts";

type Known = (NotificationsServerFrame | ConversationNotificationsServerFrame)["type"];

/** Every frame of theirs; any other is of a later release, and passed over. */
const KNOWN: ReadonlySet<string> = new Set(
  Object.keys({
    unread_count: 0,
    new_message_notification: 0,
    single_conversation_unread_count: 0,
    single_conversation_new_message_notification: 0,
    single_conversation_last_message: 0,
    pong: 0,
    error: 0,
  } satisfies Record<Known, 0>),
);

/** A connection that is only listened to. Its first frame says how things stand, after a broken line too. */
export class Notifications<Frame extends { type: string }> extends Connection<Frame> {
  constructor(path: string, options: ConnectOptions) {
    super(path, options, `{"type":"ping"}`);
  }

  on<Type extends Frame["type"]>(
    type: Type,
    listener: (frame: Extract<Frame, { type: Type }>) => void,
    options?: Listening,
  ): Unsubscribe {
    return this.onFrame((frame) => {
      if (frame.type === type) listener(frame as Extract<Frame, { type: Type }>);
    }, options);
  }

  protected override receive(frame: Frame): void {
    if (!KNOWN.has(frame.type)) return;
    if (this.state.name === "connecting") this.opened();
    if (frame.type !== "pong") this.tell(frame);
  }

  protected override query(): string {
    return "";
  }

  protected override excuses(): boolean {
    return false;
  }

  protected override connected(): void {}
  protected override lost(): void {}
  protected override ended(): void {}
}

/**
 * The total of the user's unread messages, `/ws/notifications/`: a badge.
 *
 * @throws TypeError when there is no WebSocket or no `url` to be had
 */
export function connectNotifications(options: ConnectOptions): Notifications<NotificationsServerFrame> {
  return new Notifications("/ws/notifications/", options);
}

/**
 * What is unread in one conversation, and its last message, `/ws/notifications/<user>/`.
 *
 * @param user the other's username, or the id of a conversation
 * @throws TypeError when there is no WebSocket or no `url` to be had, and for a name that no path can have
 */
export function connectConversationNotifications(
  user: string,
  options: ConnectOptions,
): Notifications<ConversationNotificationsServerFrame> {
  return new Notifications(`/ws/notifications/${segment(user)}/`, options);
}
