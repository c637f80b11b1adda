/** The messages of the open room: what HTTP has of it, and what its socket says. */
import { signal } from "@preact/signals";
import type { Api, MessageBody, MessagePage, Room, RoomServerFrame } from "../client/index.ts";
import { findMessage, firstOf } from "./blocks.ts";
import { coalesced } from "./coalesced.ts";
import { guarded } from "./guarded.ts";
import { isReadable } from "./message.ts";
import type { People } from "./people.ts";
import { problemText } from "./problems.ts";
import { confirmed, emptyTimeline, withFrame, withHistory } from "./timeline.ts";
import type { Trust } from "./trust.ts";

export type HistoryState =
  | { readonly name: "loading" }
  /** There is more to read. */
  | { readonly name: "partial" }
  | { readonly name: "loading_older" }
  | { readonly name: "complete" }
  /** `missing`: what was to be read, and is not there. */
  | { readonly name: "failed"; readonly missing: "newest" | "older"; readonly why: string };

/** Messages in a page. */
const PAGE = 50;
/** The most that the server gives at once. */
const MAX_PAGE = 200;
/** Milliseconds between two readings on account of frames that cannot be read. */
const REPAIR_INTERVAL = 5_000;
/** Pages of that size that are read in search of a message, at most. */
const MAX_SEARCH = 25;

export interface HistorySurroundings {
  readonly api: Api;
  readonly people: People;
  readonly trust: Trust;
  readonly signal: AbortSignal;
}

export class History {
  readonly timeline = signal(emptyTimeline);
  readonly state = signal<HistoryState>({ name: "loading" });
  /** Null until a message has told it. */
  readonly conversationId = signal<string | null>(null);
  readonly #api: Api;
  readonly #room: string;
  readonly #people: People;
  readonly #trust: Trust;
  readonly #repair: () => void;
  /** What an answer compares to know whether it is still waited for. */
  #reading = {};

  constructor({ api, people, trust, signal }: HistorySurroundings, room: string, connection: Room) {
    this.#api = api;
    this.#room = room;
    this.#people = people;
    this.#trust = trust;
    this.#repair = coalesced(() => this.#readAgain(), signal, REPAIR_INTERVAL);
    connection.onFrame(guarded((frame) => this.#hear(frame)));
  }

  find(id: string) {
    return findMessage(this.timeline.value.blocks, id);
  }

  retry(): void {
    const state = this.state.peek();
    if (state.name === "failed") void (state.missing === "newest" ? this.#readNewest() : this.#readOlder(PAGE));
  }

  async loadOlder(): Promise<void> {
    if (this.state.peek().name === "partial") await this.#readOlder(PAGE);
  }

  /** Reads older messages until this one is there. @returns whether it was found, within 5,000 messages */
  async reveal(id: string): Promise<boolean> {
    for (let pages = 0; pages < MAX_SEARCH; pages += 1) {
      if (findMessage(this.timeline.peek().blocks, id) !== null) return true;
      if (this.state.peek().name !== "partial") return false;
      await this.#readOlder(MAX_PAGE);
    }
    return false;
  }

  #hear(frame: RoomServerFrame): void {
    try {
      this.timeline.value = withFrame(this.timeline.peek(), frame);
    } catch (error) {
      // A frame that is not what this page takes it for is passed over; what it changed, history says.
      console.info("a frame was passed over", error, frame);
      this.#repair();
      return;
    }
    if (frame.type === "resume_failed") void this.#readNewest();
    if (frame.type !== "resumed") return;
    const { name } = this.state.peek();
    const hasHistory = name === "partial" || name === "loading_older" || name === "complete";
    if (!hasHistory) this.retry();
    else if (this.timeline.peek().unconfirmedAfter !== null) void this.#confirm();
  }

  async #readNewest(): Promise<void> {
    this.#reading = {};
    this.state.value = { name: "loading" };
    await this.#read("newest", { limit: PAGE });
  }

  async #readOlder(limit: number): Promise<void> {
    const oldest = firstOf(this.timeline.peek().blocks);
    this.state.value = { name: "loading_older" };
    await this.#read("older", { limit, ...(oldest !== null && { before: oldest.seq }) });
  }

  async #read(missing: "newest" | "older", query: { limit: number; before?: number }): Promise<void> {
    const reading = this.#reading;
    try {
      const { messages, next } = await this.#api.messages(this.#room, query);
      if (reading !== this.#reading) return;
      this.#add(messages);
      this.state.value = { name: next === null ? "complete" : "partial" };
    } catch (error) {
      if (reading === this.#reading) this.state.value = { name: "failed", missing, why: problemText(error) };
    }
  }

  /** The newest page, beside what is there. */
  async #readAgain(): Promise<void> {
    const reading = this.#reading;
    try {
      const { messages } = await this.#api.messages(this.#room, { limit: PAGE });
      if (reading === this.#reading) this.#add(messages);
    } catch (error) {
      console.warn("the history could not be read again", error);
    }
  }

  /** A replay does not say where its messages stand, nor whether they were edited or pinned. History does. */
  async #confirm(): Promise<void> {
    const reading = this.#reading;
    const after = this.timeline.peek().unconfirmedAfter ?? 0;
    try {
      let link: string | null = null;
      do {
        const page: MessagePage =
          link === null
            ? await this.#api.messages(this.#room, { after, limit: MAX_PAGE })
            : await this.#api.page<MessagePage>(link);
        if (reading !== this.#reading) return;
        this.#add(page.messages);
        link = page.previous;
      } while (link !== null);
      this.timeline.value = confirmed(this.timeline.peek());
    } catch (error) {
      // They are all there, at most in another order than they were written; the next resumption asks again.
      console.warn("the history of what was missed could not be read", error);
    }
  }

  #add(page: readonly MessageBody[]): void {
    const messages = page.filter(isReadable);
    this.timeline.value = withHistory(this.timeline.peek(), messages);
    this.conversationId.value = messages[0]?.conversation_id ?? this.conversationId.peek();
    this.#people.learn(messages.map(({ from_user }) => from_user));
    this.#trust.learnFromMessages(messages);
  }
}
