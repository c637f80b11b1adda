/** The pinned messages of the open room, wherever in its history they lie. */
import { signal } from "@preact/signals";
import type { Api, MessageBody, MessagePage, Room, RoomServerFrame } from "../client/index.ts";
import { coalesced } from "./coalesced.ts";
import { guarded } from "./guarded.ts";
import { isReadable, messageOfBody, type TimelineMessage } from "./message.ts";
import { problemText } from "./problems.ts";

/** The most that the server gives at once; it may be less, where messages are large. */
const PAGE = 200;
/** Pinned messages that are shown, at most by one page more. */
const MAX_PINS = 1_000;

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
        const pinned: MessageBody[] = [];
        let page = await api.messages(room, { pinned: true, limit: PAGE });
        pinned.push(...page.messages);
        while (page.next !== null && pinned.length < MAX_PINS) {
          page = await api.page<MessagePage>(page.next);
          pinned.push(...page.messages);
        }
        this.messages.value = pinned.filter(isReadable).map(messageOfBody);
      } catch (error) {
        if (!signal.aborted) onProblem(problemText(error));
      }
    }, signal);
    connection.onFrame(guarded((frame) => this.#hear(frame)));
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
