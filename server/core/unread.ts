/**
 * One user's unread counts on one node, kept exact from events alone: each conversation starts from a snapshot of
 * storage, and every change after it is added or taken away. No query for a message, whoever sent it.
 *
 * A conversation is `loading` from the moment its events are heard until its snapshot is there; what is heard meanwhile
 * is applied on top of it. It goes back to `loading` when an event cannot be applied exactly.
 */
import { type Change, type ConversationEvent, isChange, type MessagesRead } from "./events.ts";
import type { Standing } from "./model.ts";

/** What a badge has to say: a message of another's came, or the count changed for another reason. */
export type Notice =
  | { readonly kind: "message"; readonly conversationId: string; readonly change: Change }
  | { readonly kind: "count"; readonly conversationId: string };

type Entry =
  /** `cursor` and `asOf` are those it had when it was exact: an older snapshot was asked for before that. */
  | {
      readonly state: "loading";
      readonly unread: number;
      readonly cursor: number;
      readonly asOf: number;
      readonly heard: ConversationEvent[];
    }
  | { readonly state: "exact"; unread: number; cursor: number; asOf: number };

export class UnreadLedger {
  readonly #userId: string;
  readonly #entries = new Map<string, Entry>();
  #total = 0;

  constructor(userId: string) {
    this.#userId = userId;
  }

  /** Over all conversations. */
  get total(): number {
    return this.#total;
  }

  unread(conversationId: string): number {
    return this.#entries.get(conversationId)?.unread ?? 0;
  }

  has(conversationId: string): boolean {
    return this.#entries.has(conversationId);
  }

  /** From now on what is heard of the conversation is kept until `load`. Its count stays what it was, or 0. */
  expect(conversationId: string): void {
    if (this.#entries.get(conversationId)?.state !== "loading") this.#keep(conversationId, []);
  }

  /** The snapshot that `expect` waited for. "stale": an event could not be applied to it; a newer one is needed. */
  load(standing: Standing): Notice[] | "stale" {
    const { conversationId, unread, cursor, asOf } = standing;
    const entry = this.#entries.get(conversationId);
    if (entry?.state !== "loading" || asOf < entry.asOf || cursor < entry.cursor) return [];
    const before = entry.unread;
    this.#set(conversationId, { state: "exact", unread, cursor, asOf }, before);
    const notices: Notice[] = unread === before ? [] : [{ kind: "count", conversationId }];
    for (const [index, event] of entry.heard.entries()) {
      const heard = this.hear(event);
      if (heard === "stale") {
        this.#keep(conversationId, entry.heard.slice(index));
        return "stale";
      }
      notices.push(...heard);
    }
    return notices;
  }

  /** "stale": the count is not exact until `load` is given a newer snapshot. */
  hear(event: ConversationEvent): Notice[] | "stale" {
    const entry = this.#entries.get(event.conversationId);
    if (entry === undefined) return [];
    const concerns = isChange(event) || (event.type === "messages_read" && event.user.id === this.#userId);
    if (!concerns) return [];
    if (entry.state === "loading") {
      entry.heard.push(event);
      return [];
    }
    return isChange(event) ? this.#change(entry, event) : this.#read(entry, event);
  }

  forget(conversationId: string): Notice[] {
    const entry = this.#entries.get(conversationId);
    if (entry === undefined) return [];
    this.#entries.delete(conversationId);
    this.#total -= entry.unread;
    return entry.unread === 0 ? [] : [{ kind: "count", conversationId }];
  }

  #change(entry: Extract<Entry, { state: "exact" }>, change: Change): Notice[] {
    const { conversationId, message } = change;
    const isOthers = message.sender.id !== this.#userId;
    // A snapshot may be ahead of what has been delivered: then the message is counted already, but still news.
    const isCounted = change.seq <= entry.asOf;
    entry.asOf = Math.max(entry.asOf, change.seq);
    switch (change.type) {
      case "message_created":
        if (!isOthers) return [];
        if (!isCounted && message.seq > entry.cursor) this.#add(entry, 1);
        return [{ kind: "message", conversationId, change }];
      case "message_deleted":
        if (isCounted || !isOthers || message.seq <= entry.cursor) return [];
        this.#add(entry, -1);
        return [{ kind: "count", conversationId }];
      case "message_edited":
      case "message_pinned":
        return [];
    }
  }

  #read(entry: Extract<Entry, { state: "exact" }>, read: MessagesRead): Notice[] | "stale" {
    if (read.seq <= entry.cursor) return [];
    if (read.asOf < entry.asOf) {
      // Counted before changes that are already applied here: which of them it missed is not known.
      this.#keep(read.conversationId, [read]);
      return "stale";
    }
    const before = entry.unread;
    this.#add(entry, read.unread - before);
    entry.cursor = read.seq;
    entry.asOf = read.asOf;
    return entry.unread === before ? [] : [{ kind: "count", conversationId: read.conversationId }];
  }

  #add(entry: Extract<Entry, { state: "exact" }>, difference: number): void {
    entry.unread += difference;
    this.#total += difference;
  }

  #set(conversationId: string, entry: Entry, before: number): void {
    this.#entries.set(conversationId, entry);
    this.#total += entry.unread - before;
  }

  #keep(conversationId: string, heard: ConversationEvent[]): void {
    const { unread, cursor, asOf } = this.#entries.get(conversationId) ?? { unread: 0, cursor: 0, asOf: 0 };
    this.#entries.set(conversationId, { state: "loading", unread, cursor, asOf, heard });
  }
}
