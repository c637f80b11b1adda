/** The conversations, newest first. Whatever may change them has the server asked again, so every count is its own. */
import { computed, signal } from "@preact/signals";
import type { Api, ConversationBody, EventFrame } from "../client/index.ts";
import { coalesced } from "./coalesced.ts";
import { type Live, roomOfEvent } from "./live.ts";
import type { People } from "./people.ts";
import { problemText } from "./session.ts";

export type ListState =
  | { readonly name: "loading" }
  | { readonly name: "ready" }
  | { readonly name: "failed"; readonly why: string };

const PAGE = 20;
/** The most that the server gives at once. */
const MAX_PAGE = 100;
/** Events that leave every conversation as it is. */
const WITHOUT_EFFECT = new Set(["typing", "pin message", "resumed", "resume_failed"]);

export class ConversationList {
  readonly conversations = signal<readonly ConversationBody[]>([]);
  readonly state = signal<ListState>({ name: "loading" });
  readonly #next = signal<string | null>(null);
  readonly hasMore = computed(() => this.#next.value !== null);
  readonly refresh: () => void;
  readonly #api: Api;
  readonly #people: People;
  /** Conversations that an event was about since the last look. */
  #touched = new Set<string>();
  #isLoadingMore = false;

  constructor(api: Api, live: Live, people: People, signal: AbortSignal) {
    this.#api = api;
    this.#people = people;
    this.refresh = coalesced(() => this.#read(), signal);
    live.onEvent((frame) => this.#hear(frame), signal);
    // In a large room one's own reading is told by the total alone.
    live.onUnreadTotal(this.refresh);
    this.refresh();
  }

  /** The conversation that is opened under that name. */
  find(room: string): ConversationBody | null {
    const isIt = ({ id, other_user }: ConversationBody) => id === room || other_user?.username === room;
    return this.conversations.value.find(isIt) ?? null;
  }

  async loadMore(): Promise<void> {
    const link = this.#next.peek();
    if (link === null || this.#isLoadingMore) return;
    this.#isLoadingMore = true;
    try {
      const { results, next } = await this.#api.page<{ results: ConversationBody[]; next: string | null }>(link);
      const isKnown = new Set(this.conversations.peek().map(({ id }) => id));
      this.#show([...this.conversations.peek(), ...results.filter(({ id }) => !isKnown.has(id))]);
      this.#next.value = next;
    } catch (error) {
      this.state.value = { name: "failed", why: problemText(error) };
    } finally {
      this.#isLoadingMore = false;
    }
  }

  #hear(frame: EventFrame): void {
    const { event, data } = frame;
    if (WITHOUT_EFFECT.has(event)) return;
    // What others have read is no count of ours.
    if (event === "seen" && (data as { user_id: string }).user_id !== this.#people.me.id) return;
    const room = roomOfEvent(frame);
    if (room !== null) this.#touched.add(room);
    this.refresh();
  }

  /** What is loaded, again, as far as one page goes; of what lies behind, what was touched. */
  async #read(): Promise<void> {
    const touched = this.#touched;
    this.#touched = new Set();
    try {
      const limit = Math.min(Math.max(this.conversations.peek().length, PAGE), MAX_PAGE);
      const { results, next } = await this.#api.conversations({ limit });
      const rest = await this.#behind(results, next !== null, touched);
      this.#show([...results, ...rest]);
      if (rest.length === 0) this.#next.value = next;
      this.state.value = { name: "ready" };
    } catch (error) {
      for (const id of touched) this.#touched.add(id);
      this.state.value = { name: "failed", why: problemText(error) };
    }
  }

  /** The loaded conversations older than the page. Those that lay in it and are gone from it, we are no longer in. */
  #behind(page: readonly ConversationBody[], hasMore: boolean, touched: ReadonlySet<string>) {
    const oldest = page.at(-1)?.updated_at;
    const isInPage = new Set(page.map(({ id }) => id));
    const loaded = this.conversations.peek();
    if (!hasMore || oldest === undefined || loaded.length <= MAX_PAGE) return [];
    const behind = loaded.filter(({ id, updated_at }) => !isInPage.has(id) && updated_at <= oldest);
    return Promise.all(behind.map((known) => (touched.has(known.id) ? this.#api.conversation(known.id) : known)));
  }

  #show(conversations: readonly ConversationBody[]): void {
    this.conversations.value = conversations;
    this.#people.learn(
      conversations.flatMap(({ other_user, last_message }) => [
        ...(other_user === null ? [] : [other_user]),
        ...(last_message === null ? [] : [last_message.from_user]),
      ]),
    );
  }
}
