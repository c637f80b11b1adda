/**
 * Whose pictures are fetched. Another host learns from a fetch who reads, from where and when; so nothing of another host is
 * asked for before somebody clicks, but what people link to whom they have answered, and what they link to themselves.
 */
import { type Signal, signal } from "@preact/signals";
import type { ConversationBody, MessageBody } from "../client/index.ts";
import type { Blocks } from "./blocks.ts";
import type { KeptWork } from "./kept-work.ts";
import type { People } from "./people.ts";
import { isOwnOrigin } from "./server.ts";

/** Whose it is: a person's, by username, or a group's, by its id. */
export type Source =
  | { readonly kind: "person"; readonly username: string }
  | { readonly kind: "group"; readonly id: string };

/** People and groups that are remembered as answered. */
const MAX_ANSWERED = 2_000;

export class Trust {
  readonly #people: People;
  /** `@alice` for people, ids for groups. */
  readonly #answered: Signal<readonly string[]>;
  /** Addresses that somebody has clicked for, as long as the page is open. */
  readonly #shown = signal<ReadonlySet<string>>(new Set());

  constructor(people: People, work: KeptWork) {
    this.#people = people;
    this.#answered = work.kept<readonly string[]>("answered:", [], (names) => names.length === 0);
  }

  /** Whether it is fetched without a click. */
  loads(url: string, source: Source): boolean {
    if (isOwnOrigin(url) || this.#shown.value.has(url)) return true;
    if (source.kind === "group") return this.#answered.value.includes(source.id);
    return this.#people.isMe(source.username) || this.#answered.value.includes(`@${source.username}`);
  }

  show(url: string): void {
    this.#shown.value = new Set([...this.#shown.peek(), url]);
  }

  /** What lists and pages of history tell: a message of one's own to somebody, or in a group. */
  learnFromMessages(messages: readonly MessageBody[]): void {
    this.#answer(
      messages
        .filter(({ from_user }) => this.#people.isMe(from_user.username))
        .map(({ to_user, conversation_id }) => (to_user === undefined ? conversation_id : `@${to_user.username}`)),
    );
  }

  learnFromList(conversations: readonly ConversationBody[]): void {
    this.learnFromMessages(conversations.flatMap(({ last_message: last }) => (last === null ? [] : [last])));
  }

  /** Whoever wrote in a conversation before a message of one's own in it was answered by that. */
  learnFromConversation(blocks: Blocks, conversation: { id: string | null; other: string | null }): void {
    const messages = blocks.flatMap(({ messages }) => messages);
    const own = messages.findLastIndex(({ sender }) => this.#people.isMe(sender));
    if (own === -1) return;
    const senders = messages.slice(0, own).map(({ sender }) => `@${sender}`);
    const { id, other } = conversation;
    this.#answer([...senders, ...(other === null ? [] : [`@${other}`]), ...(id === null ? [] : [id])]);
  }

  #answer(names: readonly string[]): void {
    const known = new Set(this.#answered.peek());
    const news = [...new Set(names)].filter((name) => !known.has(name));
    if (news.length > 0) this.#answered.value = [...this.#answered.peek(), ...news].slice(-MAX_ANSWERED);
  }
}
