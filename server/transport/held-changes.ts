import type { Change } from "../core/events.ts";

/** Changes kept for one conversation whose predecessors are missing. */
const MAX_HELD = 1_000;
/** Characters of their texts and attachments, for one conversation. */
const MAX_HELD_TEXT = 4 * 1024 * 1024;

/** Changes of a conversation that wait for those before them, within a bound. What is not kept has to be fetched. */
export class HeldChanges {
  readonly #changes = new Map<number, Change>();
  #text = 0;

  get size(): number {
    return this.#changes.size;
  }

  get(seq: number): Change | undefined {
    return this.#changes.get(seq);
  }

  /** `always`: whatever is held already. */
  keep(change: Change, always: boolean): void {
    const isFull = this.#changes.size >= MAX_HELD || this.#text >= MAX_HELD_TEXT;
    if (isFull && !always) return;
    this.drop(change.seq);
    this.#changes.set(change.seq, change);
    this.#text += lengthOf(change);
  }

  drop(seq: number): void {
    const change = this.#changes.get(seq);
    if (change === undefined) return;
    this.#changes.delete(seq);
    this.#text -= lengthOf(change);
  }

  dropUpTo(seq: number): void {
    for (const held of this.#changes.keys()) if (held <= seq) this.drop(held);
  }

  dropLaterMemberships(membership: number): void {
    for (const [seq, change] of this.#changes) if (change.membership > membership) this.drop(seq);
  }

  clear(): void {
    this.#changes.clear();
    this.#text = 0;
  }
}

/** Characters of what a change holds most of. */
export function lengthOf({ message: { text, attachments, replyQuote } }: Change): number {
  const structured =
    attachments.length === 0 && replyQuote === null ? 0 : JSON.stringify([attachments, replyQuote]).length;
  return text.length + structured;
}
