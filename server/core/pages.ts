/** Pages by bytes: what is read, encoded and sent at a time, so that no answer is as large as what is stored. */

export interface Sized {
  /** More or less: what reading it brings. */
  readonly bytes: number;
}

/** The first of them, up to the one that reaches so many bytes: at least one. */
export function firstPage<Item extends Sized>(items: readonly Item[], bytes: number): Item[] {
  let size = 0;
  const page: Item[] = [];
  for (const item of items) {
    if (size >= bytes) break;
    page.push(item);
    size += item.bytes;
  }
  return page;
}

/** All of them, page by page. */
export function* pagesOf<Item extends Sized>(items: readonly Item[], bytes: number): Generator<Item[]> {
  for (let start = 0; start < items.length; ) {
    const page = firstPage(items.slice(start, start + MAX_ITEMS), bytes);
    yield page;
    start += page.length;
  }
}

/** However small they are. */
const MAX_ITEMS = 500;
