/** How many members the conversations have that this node listens to: by their events, and by what storage says in a sweep. */
export class RoomSizes {
  readonly #sizes = new Map<string, { membership: number; membersCount: number }>();
  readonly #handlers: ((conversationId: string) => void)[] = [];

  /** 0: nothing is known of it. */
  of(conversationId: string): number {
    return this.#sizes.get(conversationId)?.membersCount ?? 0;
  }

  onChange(handler: (conversationId: string) => void): void {
    this.#handlers.push(handler);
  }

  /** What an earlier membership counted is old news. */
  heard({
    conversationId,
    membership,
    membersCount,
  }: {
    readonly conversationId: string;
    readonly membership: number;
    readonly membersCount: number;
  }): void {
    const known = this.#sizes.get(conversationId);
    if (known !== undefined && membership <= known.membership) return;
    this.#sizes.set(conversationId, { membership, membersCount });
    if (known?.membersCount === membersCount) return;
    for (const handler of this.#handlers) handler(conversationId);
  }

  forget(conversationId: string): void {
    this.#sizes.delete(conversationId);
  }
}
