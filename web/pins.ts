/** The pinned messages of the open room, wherever in its history they lie. */
import { signal } from "@preact/signals";
import type { Api, Room, RoomServerFrame } from "../client/index.ts";
import { coalesced } from "./coalesced.ts";
import { messageOfBody, type TimelineMessage } from "./message.ts";
import { problemText } from "./problems.ts";

/** The most that the server gives at once. */
const MAX_PINS = 200;

export class Pins {
  /** Newest first. */
  readonly messages = signal<readonly TimelineMessage[]>([]);
  readonly #refresh: () => void;

  constructor(
    { api, room, signal, onProblem }: { api: Api; room: string; signal: AbortSignal; onProblem(text: string): void },
    connection: Room,
  ) {
    this.#refresh = coalesced(async () => {
      try {
        const { messages } = await api.messages(room, { pinned: true, limit: MAX_PINS });
        this.messages.value = messages.map(messageOfBody);
      } catch (error) {
        if (!signal.aborted) onProblem(problemText(error));
      }
    }, signal);
    connection.onFrame((frame) => this.#hear(frame));
  }

  #hear(frame: RoomServerFrame): void {
    switch (frame.type) {
      case "message_pinned":
      case "resumed":
      case "resume_failed":
        this.#refresh();
        return;
      case "message_edited":
      case "message_deleted":
        if (this.messages.peek().some(({ id }) => id === frame.id)) this.#refresh();
    }
  }
}
