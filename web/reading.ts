/** Who has read how far: the others, as their marks say, and oneself. */
import { effect, signal } from "@preact/signals";
import type { ChatMessage, Room } from "../client/index.ts";
import { attention } from "./attention.ts";
import { lastOf } from "./blocks.ts";
import { coalesced } from "./coalesced.ts";
import { guarded } from "./guarded.ts";
import type { History } from "./history.ts";
import type { People } from "./people.ts";

export interface ReadingSurroundings {
  readonly history: History;
  readonly people: People;
  readonly signal: AbortSignal;
  onRead(seq: number): void;
  onRefused(error: unknown): void;
}

export class Reading {
  /** For each of the others the highest seq that they have read, as far as marks have come since the room was opened. */
  readonly cursors = signal<ReadonlyMap<string, number>>(new Map());
  /** The newest message is in view; the log says so. */
  readonly isAtNewest = signal(true);
  /** Messages of others that came while it was not. */
  readonly unseen = signal(0);
  /** The last message of another that came live. */
  readonly announcement = signal<{ readonly sender: string; readonly text: string } | null>(null);
  readonly #people: People;

  constructor({ history, people, signal, onRead, onRefused }: ReadingSurroundings, connection: Room) {
    this.#people = people;
    connection.on(
      "messages_read",
      guarded(({ user, seq }) => this.#moved(user, seq)),
    );
    connection.on(
      "chat_message",
      guarded((frame) => this.#arrived(frame)),
    );
    connection.on("resume_failed", () => {
      this.unseen.value = 0;
    });

    let lastRead: string | null = null;
    const read = coalesced(async () => {
      const newest = lastOf(history.timeline.peek().blocks);
      if (newest === null || newest.id === lastRead || !this.#isLooking()) return;
      lastRead = newest.id;
      await connection.read(newest.id).then(() => onRead(newest.seq), onRefused);
    }, signal);
    const stop = effect(() => {
      if (!this.#isLooking() || lastOf(history.timeline.value.blocks) === null) return;
      this.unseen.value = 0;
      read();
    });
    signal.addEventListener("abort", stop);
  }

  /** Those of the others who have read up to that seq. */
  readersOf(seq: number): string[] {
    return [...this.cursors.value].filter(([, cursor]) => cursor >= seq).map(([user]) => user);
  }

  #isLooking(): boolean {
    return this.isAtNewest.value && attention.value;
  }

  #moved(user: string, seq: number): void {
    if (this.#people.isMe(user) || (this.cursors.peek().get(user) ?? 0) >= seq) return;
    this.cursors.value = new Map([...this.cursors.peek(), [user, seq]]);
  }

  #arrived({ from_user: { username }, message }: ChatMessage): void {
    if (this.#people.isMe(username)) return;
    this.announcement.value = { sender: this.#people.nameOf(username), text: message || "media" };
    if (!this.isAtNewest.peek() || !attention.peek()) this.unseen.value += 1;
  }
}
