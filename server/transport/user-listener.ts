import type { UserEvent } from "../core/events.ts";

export interface UserListener {
  hear(event: UserEvent): void;
  /** Events may have gone unheard: the list of conversations is to be read again. */
  missedEvents(): void;
  /** In how many conversations the user is, as storage says. */
  compare(conversations: number): void;
}
