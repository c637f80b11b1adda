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

interface Exact {
  readonly state: "exact";
  unread: number;
  cursor: number;
  asOf: number;
}

/** `cursor` and `asOf` are those it had when it was exact: an older snapshot was asked for before that. */
interface Loading extends Readonly<Omit<Exact, "state">> {
  readonly state: "loading";
  readonly heard: ConversationEvent[];
  /** What was applied to a snapshot that turned out stale, and could not be told then. */
  readonly untold: readonly Notice[];
  /** More was heard than is kept: the snapshot that is on its way may be older than some of it. */
  isCut: boolean;
}

/** Events of one conversation kept until its snapshot is there. Beyond, they are dropped and a newer one is asked for. */
const MAX_HEARD = 1_000;

type Entry = Loading | Exact;

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
    if (this.#entries.get(conversationId)?.state !== "loading") this.#keep(conversationId, [], []);
  }

  /**
   * The snapshot that `expect` waited for. Several may be on their way at once and arrive in any order: one that knows
   * nothing new changes nothing. "stale": an event could not be applied to it; a newer one is needed.
   */
  load(standing: Standing): Notice[] | "stale" {
    const { conversationId, unread, cursor, asOf } = standing;
    const entry = this.#entries.get(conversationId);
    if (entry === undefined) return [];
    if (entry.state === "exact") return this.#move(entry, standing, []);
    if (asOf < entry.asOf || cursor < entry.cursor) return [];
    if (entry.isCut) {
      this.#keep(conversationId, entry.heard, entry.untold);
      return "stale";
    }
    const before = entry.unread;
    this.#set(conversationId, { state: "exact", unread, cursor, asOf }, before);
    const notices: Notice[] = [...entry.untold];
    if (unread !== before) notices.push({ kind: "count", conversationId });
    for (const [index, event] of entry.heard.entries()) {
      const heard = this.hear(event);
      if (heard === "stale") {
        this.#keep(conversationId, entry.heard.slice(index), notices);
        return "stale";
      }
      notices.push(...heard);
    }
    return notices;
  }

  /**
   * "stale": the count is not exact until `load` is given a newer snapshot. Of more than a thousand events that wait for one
   * only the count is told, not each message.
   */
  hear(event: ConversationEvent): Notice[] | "stale" {
    const entry = this.#entries.get(event.conversationId);
    if (entry === undefined) return [];
    const concerns = isChange(event) || (event.type === "messages_read" && event.user.id === this.#userId);
    if (!concerns) return [];
    if (entry.state === "loading") {
      if (entry.heard.length >= MAX_HEARD) {
        entry.heard.length = 0;
        entry.isCut = true;
      }
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

  #change(entry: Exact, change: Change): Notice[] {
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

  #read(entry: Exact, read: MessagesRead): Notice[] | "stale" {
    const { conversationId, seq: cursor, unread, asOf } = read;
    return this.#move(entry, { conversationId, cursor, unread, asOf }, [read]);
  }

  /** The cursor stands further on than was known. `heard`: the event that says so, to be kept if this is "stale". */
  #move(
    entry: Exact,
    { conversationId, cursor, unread, asOf }: Omit<Standing, "userId">,
    heard: ConversationEvent[],
  ): Notice[] | "stale" {
    if (cursor <= entry.cursor) return [];
    if (asOf < entry.asOf) {
      // Counted before changes that are already applied here: which of them it missed is not known.
      this.#keep(conversationId, heard, []);
      return "stale";
    }
    const before = entry.unread;
    this.#add(entry, unread - before);
    entry.cursor = cursor;
    entry.asOf = asOf;
    return unread === before ? [] : [{ kind: "count", conversationId }];
  }

  #add(entry: Exact, difference: number): void {
    entry.unread += difference;
    this.#total += difference;
  }

  #set(conversationId: string, entry: Entry, before: number): void {
    this.#entries.set(conversationId, entry);
    this.#total += entry.unread - before;
  }

  #keep(conversationId: string, heard: ConversationEvent[], untold: readonly Notice[]): void {
    const { unread, cursor, asOf } = this.#entries.get(conversationId) ?? { unread: 0, cursor: 0, asOf: 0 };
    this.#entries.set(conversationId, { state: "loading", unread, cursor, asOf, heard, untold, isCut: false });
  }
}
