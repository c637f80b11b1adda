/**
 * The conversations, newest first. They are read when the page is opened and after a gap; in between they follow from the
 * events, so that a message costs the server no list.
 */
import { computed, signal } from "@preact/signals";
import type { Api, ConversationBody, ConversationPage, EventFrame } from "../client/index.ts";
import { coalesced } from "./coalesced.ts";
import { inOrder, type Listed, listedOf, type Onlooker, withEvent } from "./listed.ts";
import { type Live, roomOfEvent } from "./live.ts";
import type { People } from "./people.ts";
import { problemText } from "./problems.ts";
import { idOfName } from "./room-name.ts";
import type { Trust } from "./trust.ts";
import { UnreadCheck } from "./unread-check.ts";

export type ListState =
  | { readonly name: "loading" }
  | { readonly name: "ready" }
  | { readonly name: "failed"; readonly why: string };

const PAGE = 20;
/** The most that the server gives at once. */
const MAX_PAGE = 100;
/** Milliseconds between two readings of the list, and of single conversations. */
const READING_INTERVAL = 3_000;
/** Conversations that are asked for one by one; of more the list is read. */
const MAX_ASKED = 5;
/** Events that are kept while the list is read; of more it is read once more. */
const MAX_MISSED = 1_000;

export interface ListSurroundings {
  readonly api: Api;
  readonly live: Live;
  readonly people: People;
  readonly trust: Trust;
  readonly signal: AbortSignal;
}

export class ConversationList {
  readonly conversations = signal<readonly Listed[]>([]);
  readonly state = signal<ListState>({ name: "loading" });
  readonly #next = signal<string | null>(null);
  readonly hasMore = computed(() => this.#next.value !== null);
  readonly refresh: () => void;
  readonly #surroundings: ListSurroundings;
  readonly #onlooker: Onlooker;
  readonly #askOne: () => void;
  readonly #check: UnreadCheck;
  /** Conversations about which only the server can tell. */
  #asked = new Set<string>();
  /** What was heard while an answer was on its way: it may be newer than the answer. Null while none is. */
  #missed: EventFrame[] | null = null;
  #turn: Promise<void> = Promise.resolve();
  #isLoadingMore = false;

  constructor(surroundings: ListSurroundings) {
    const { live, people, signal } = surroundings;
    this.#surroundings = surroundings;
    this.#onlooker = { me: people.me.id, nameOf: (id) => people.nameOfId(id) };
    this.refresh = coalesced(() => this.#exclusively(() => this.#read()), signal, READING_INTERVAL);
    this.#askOne = coalesced(() => this.#exclusively(() => this.#readAsked()), signal, READING_INTERVAL);
    this.#check = new UnreadCheck({ list: this, live, signal });
    live.onEvent((frame) => this.#hear(frame), signal);
    this.refresh();
  }

  /** The conversation that is opened under that name: the other's, or an id. */
  find(room: string): Listed | null {
    const all = this.conversations.value;
    // The person goes first, as they do at the server.
    return all.find(({ other }) => other?.username === room) ?? all.find(({ id }) => id === idOfName(room)) ?? null;
  }

  /** Somebody has read here up to that message. In a large room no event says so. */
  hasRead(id: string, seq: number): void {
    this.#hear({ event: "seen", data: { room_id: id, user_id: this.#onlooker.me, seq } });
  }

  async loadMore(): Promise<void> {
    const link = this.#next.peek();
    if (link === null || this.#isLoadingMore) return;
    this.#isLoadingMore = true;
    try {
      const { results, next } = await this.#surroundings.api.page<ConversationPage>(link);
      const isKnown = new Set(this.conversations.peek().map(({ id }) => id));
      const news = this.#learn(results).filter(({ id }) => !isKnown.has(id));
      this.conversations.value = inOrder([...this.conversations.peek(), ...news]);
      this.#next.value = next;
      this.#check.hasRead();
    } catch (error) {
      this.state.value = { name: "failed", why: problemText(error) };
    } finally {
      this.#isLoadingMore = false;
    }
  }

  #hear(frame: EventFrame): void {
    const { event, data } = frame;
    // The list after a gap, or a room whose events were too many to be told: what was missed is read.
    if (event === "connectRooms" || event === "resume_failed") this.refresh();
    const { _id: made } = (data ?? {}) as { _id?: unknown };
    if (event === `group_${this.#onlooker.me}` && typeof made === "string") this.#ask(made);
    if (this.#missed !== null && this.#missed.push(frame) > MAX_MISSED) {
      this.#missed = [];
      this.refresh();
    }
    this.#apply(frame);
  }

  #apply(frame: EventFrame): void {
    const id = roomOfEvent(frame);
    if (id === null) return;
    const known = this.conversations.peek().find((conversation) => conversation.id === id);
    if (known === undefined) {
      if (frame.event === "message" || frame.event === this.#onlooker.me) this.#ask(id);
      return;
    }
    const next = withEvent(known, frame, this.#onlooker);
    if (next === null) this.#ask(id);
    else if (next !== known) this.#put(next);
  }

  #put(listed: Listed): void {
    const others = this.conversations.peek().filter(({ id }) => id !== listed.id);
    this.conversations.value = inOrder([...others, listed]);
  }

  #ask(id: string): void {
    this.#asked.add(id);
    // It is in the list that is being read for the first time, or that is asked for next.
    if (this.state.peek().name === "ready") this.#askOne();
  }

  /** One answer at a time is waited for, and what is heard meanwhile is kept for it. */
  #exclusively(read: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      this.#missed = [];
      try {
        await read();
      } catch (error) {
        if (!this.#surroundings.signal.aborted) this.state.value = { name: "failed", why: problemText(error) };
      }
      const missed = this.#missed;
      this.#missed = null;
      for (const frame of missed) this.#apply(frame);
    });
    return this.#turn;
  }

  /** What is loaded, again, as far as one page goes. What lies behind it the events have kept as it is. */
  async #read(): Promise<void> {
    const asked = this.#asked;
    this.#asked = new Set();
    try {
      const limit = Math.min(Math.max(this.conversations.peek().length, PAGE), MAX_PAGE);
      const { results, next } = await this.#surroundings.api.conversations({ limit });
      const page = this.#learn(results);
      const behind = next === null ? [] : this.#behind(page);
      this.conversations.value = inOrder([...page, ...behind]);
      if (behind.length === 0) this.#next.value = next;
      this.state.value = { name: "ready" };
      this.#check.hasRead();
    } catch (error) {
      for (const id of asked) this.#asked.add(id);
      throw error;
    }
  }

  /** The loaded conversations older than the page. Those that lay in it and are gone from it, we are no longer in. */
  #behind(page: readonly Listed[]): Listed[] {
    const oldest = page.at(-1)?.updatedAt ?? "";
    const isInPage = new Set(page.map(({ id }) => id));
    return this.conversations.peek().filter(({ id, updatedAt }) => !isInPage.has(id) && updatedAt <= oldest);
  }

  async #readAsked(): Promise<void> {
    const asked = this.#asked;
    if (asked.size > MAX_ASKED) {
      this.refresh();
      return;
    }
    this.#asked = new Set();
    const { api } = this.#surroundings;
    const found = await Promise.allSettled([...asked].map((id) => api.conversation(id)));
    const bodies = found.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    for (const listed of this.#learn(bodies)) this.#update(listed);
    // It is not ours any more, or was not to be had: the list says.
    if (found.some(({ status }) => status === "rejected")) this.refresh();
  }

  #update(listed: Listed): void {
    const known = this.conversations.peek().find(({ id }) => id === listed.id);
    if (known === undefined || known.seq <= listed.seq) this.#put(listed);
    if (known === undefined) this.#check.hasRead();
  }

  #learn(bodies: readonly ConversationBody[]): Listed[] {
    const { people, trust } = this.#surroundings;
    people.learn(
      bodies.flatMap(({ other_user, last_message }) => [
        ...(other_user === null ? [] : [other_user]),
        ...(last_message === null ? [] : [last_message.from_user]),
      ]),
    );
    trust.learnFromList(bodies);
    return bodies.map((body) => listedOf(body, this.#onlooker));
  }
}
