interface Node<Item> {
  readonly item: Item;
  next: Node<Item> | null;
}

/** First in, first out. Nothing of it costs more when more waits. */
export class Queue<Item> {
  #first: Node<Item> | null = null;
  #last: Node<Item> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Item | undefined {
    return this.#first?.item;
  }

  push(item: Item): void {
    const node = { item, next: null };
    if (this.#last === null) this.#first = node;
    else this.#last.next = node;
    this.#last = node;
    this.#size += 1;
  }

  /** Before all others. */
  unshift(item: Item): void {
    this.#first = { item, next: this.#first };
    this.#last ??= this.#first;
    this.#size += 1;
  }

  shift(): Item | undefined {
    const node = this.#first;
    if (node === null) return undefined;
    this.#first = node.next;
    if (node.next === null) this.#last = null;
    this.#size -= 1;
    return node.item;
  }
}
