/**
 * What the page keeps in the browser. Where the browser keeps nothing (cookies are blocked, the place is full) the page works
 * all the same: it keeps things in memory, and says so once.
 */
import { computed, signal } from "@preact/signals";

/** Keys that could not be written, of all stores: they end with the page. */
const inMemoryAlone = signal<ReadonlySet<string>>(new Set());

/** Something that was to be kept is in memory alone. */
export const isStorageFailing = computed(() => inMemoryAlone.value.size > 0);

/** Whether what is kept under a key of that beginning would be lost with the page. */
export function wouldBeLost(prefix: string): boolean {
  return [...inMemoryAlone.peek()].some((key) => key.startsWith(prefix));
}

export class KeptStore {
  readonly #find: () => Storage;
  /** What could not be written; null for what could not be removed. It comes before what the browser has. */
  readonly #memory = new Map<string, string | null>();

  /** `find` may throw, as a browser does that keeps nothing. */
  constructor(find: () => Storage) {
    this.#find = find;
  }

  get(key: string): string | null {
    const inMemory = this.#memory.get(key);
    return inMemory === undefined ? attempt(() => this.#find().getItem(key), null) : inMemory;
  }

  /** What was written as JSON; null for what is none, as another release may have left it. */
  read<T>(key: string): T | null {
    const text = this.get(key);
    return text === null ? null : attempt(() => JSON.parse(text) as T, null);
  }

  set(key: string, value: string): void {
    const isWritten = attempt(() => {
      this.#find().setItem(key, value);
      return true;
    }, false);
    if (isWritten) this.#memory.delete(key);
    else {
      this.#memory.set(key, value);
      // An older value would come back in place of the newer one.
      attempt(() => this.#find().removeItem(key), undefined);
    }
    note(key, !isWritten);
  }

  remove(key: string): void {
    const isRemoved = attempt(() => {
      this.#find().removeItem(key);
      return true;
    }, false);
    if (isRemoved) this.#memory.delete(key);
    else this.#memory.set(key, null);
    note(key, false);
  }

  /** Those that begin so, sorted. */
  keys(prefix: string): string[] {
    const kept = attempt(() => {
      const storage = this.#find();
      return Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
    }, []);
    const gone = [...this.#memory].filter(([, value]) => value === null).map(([key]) => key);
    const all = new Set([...kept, ...this.#memory.keys()]);
    return [...all].filter((key) => key.startsWith(prefix) && !gone.includes(key)).sort();
  }
}

/** Of the browser: all tabs share it. */
export const browserStore = new KeptStore(() => localStorage);
/** Of the tab. */
export const tabStore = new KeptStore(() => sessionStorage);

function attempt<T>(task: () => T, otherwise: T): T {
  try {
    return task();
  } catch {
    // Blocked, full or gone: the store goes on in memory, and `isStorageFailing` says so.
    return otherwise;
  }
}

function note(key: string, isLost: boolean): void {
  if (inMemoryAlone.peek().has(key) === isLost) return;
  const keys = new Set(inMemoryAlone.peek());
  if (isLost) keys.add(key);
  else keys.delete(key);
  inMemoryAlone.value = keys;
}
