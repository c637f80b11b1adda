/**
 * Compares the total of what is unread, which the server says, with the sum of the list: in large rooms one's own reading on
 * another device is told by the total alone. Where they differ for a while, the list is read.
 */
import type { ConversationList } from "./conversation-list.ts";
import type { Live } from "./live.ts";

/** Milliseconds in which neither changes: they come over two lines. */
const SETTLING = 1_500;
/** Milliseconds after which they are compared although they go on changing. */
const PATIENCE = 30_000;

export class UnreadCheck {
  readonly #list: ConversationList;
  readonly #live: Live;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waitingSince: number | null = null;
  /** Unread messages that are in no loaded conversation, as the last reading of the list left it. */
  #behind = 0;
  #isFresh = false;

  constructor({ list, live, signal }: { list: ConversationList; live: Live; signal: AbortSignal }) {
    this.#list = list;
    this.#live = live;
    const stops = [
      live.unreadTotal.subscribe(() => this.#wait()),
      list.conversations.subscribe(() => this.#wait()),
      () => clearTimeout(this.#timer),
    ];
    signal.addEventListener("abort", () => {
      for (const stop of stops) stop();
    });
  }

  /** More of the list, or all that is loaded, was read just now: what it does not hold lies behind it. */
  hasRead(): void {
    this.#isFresh = true;
    this.#wait();
  }

  #wait(): void {
    this.#waitingSince ??= Date.now();
    clearTimeout(this.#timer);
    const rest = Math.max(0, this.#waitingSince + PATIENCE - Date.now());
    this.#timer = setTimeout(() => this.#compare(), Math.min(SETTLING, rest));
  }

  #compare(): void {
    this.#waitingSince = null;
    if (this.#list.state.peek().name !== "ready") return;
    const sum = this.#list.conversations.peek().reduce((total, { unread }) => total + unread, 0);
    const behind = this.#live.unreadTotal.peek() - sum;
    const isExpected = behind === this.#behind || this.#isFresh;
    this.#isFresh = false;
    if (isExpected) this.#behind = behind;
    else this.#list.refresh();
  }
}
