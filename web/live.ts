/** What is heard of all conversations at once: events of `/rooms`, and the total of what is unread. */
import { signal } from "@preact/signals";
import {
  type ConnectOptions,
  connectEvents,
  connectNotifications,
  type EventFrame,
  type Unsubscribe,
} from "../client/index.ts";
import { stateSignal } from "./connection-state.ts";
import { guarded } from "./guarded.ts";
import type { WireLog } from "./wire-log.ts";

/** The id of the conversation that an event is about; null where it is about none, or about all. */
export function roomOfEvent({ data }: EventFrame): string | null {
  const id = (data as { room_id?: unknown } | null)?.room_id;
  return typeof id === "string" ? id : null;
}

export class Live {
  readonly #events;
  readonly #notifications;
  readonly state;
  readonly unreadTotal = signal(0);

  constructor(options: ConnectOptions, wire: WireLog) {
    this.#events = connectEvents("/rooms", { ...options, onWire: wire.recorder("list") });
    this.#notifications = connectNotifications({ ...options, onWire: wire.recorder("badge") });
    this.state = stateSignal(this.#events);
    // It comes again after each broken line: the library asks for it anew.
    void this.#events.send("connectRooms", {});
    for (const type of ["unread_count", "new_message_notification"] as const) {
      this.#notifications.on(type, ({ unread_count }) => {
        if (typeof unread_count === "number") this.unreadTotal.value = unread_count;
      });
    }
  }

  onEvent(listener: (frame: EventFrame) => void, signal?: AbortSignal): Unsubscribe {
    return this.#events.onFrame(guarded(listener), { signal });
  }

  retry(): void {
    this.#events.retry();
    this.#notifications.retry();
  }
}
