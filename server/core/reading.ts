/** Read state: one cursor for each member, and what it leaves unread. */
import { Refusal } from "./errors.ts";
import type { Profile, Standing } from "./model.ts";
import type { Amendment, UnreadStore } from "./store.ts";
import type { Writer } from "./writer.ts";

export interface ReadingOptions {
  readonly store: Pick<UnreadStore, "standing">;
  readonly writer: Writer;
}

export class Reading {
  readonly #options: ReadingOptions;

  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  /**
   * Reads everything. A cursor never moves back: reading what was read changes nothing.
   *
   * @throws Refusal `forbidden`: not a member. `unavailable`.
   */
  readAll(reader: Profile, conversationId: string): Promise<void> {
    return this.#amend({ kind: "read", userId: reader.id, conversationId, messageId: null });
  }

  /**
   * Reads up to a message, and so all before it. `conversationId` null: wherever the message is.
   *
   * @throws Refusal `forbidden`: not a member, or no such message there. `unavailable`.
   */
  readUpTo(reader: Profile, conversationId: string | null, messageId: string): Promise<void> {
    return this.#amend({ kind: "read", userId: reader.id, conversationId, messageId });
  }

  async #amend(read: Extract<Amendment, { kind: "read" }>): Promise<void> {
    const outcome = await this.#options.writer.amend(read);
    if (outcome.status === "forbidden") throw new Refusal("forbidden", "this message is not yours to read");
  }

  /** Null when the user is not a member. */
  standing(userId: string, conversationId: string): Promise<Standing | null> {
    return this.#options.store.standing(userId, conversationId);
  }
}
