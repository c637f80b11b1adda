/**
 * What a person has begun and not finished: drafts, edits, what waits to be sent. It outlives a change of room, a reload, a
 * closed tab and the end of a session, until they sign out. Kept in the browser, for each user by themselves.
 */
import { effect, type Signal, signal } from "@preact/signals";
import { browserStore, wouldBeLost } from "./storage.ts";

interface Kept<T> {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: T;
}

export const OUTBOX = "outbox:";
export const DRAFT = "draft:";
export const FORM = "form:";
/** What somebody would write again; the rest is for their convenience. */
const WORK = [OUTBOX, DRAFT, FORM];

/** Drafts and forms of a user that are kept; beyond, the oldest goes. */
const MAX_KEPT = 200;

export class KeptWork {
  readonly #prefix: string;
  readonly #signal: AbortSignal;
  readonly #signals = new Map<string, Signal<unknown>>();

  constructor(userId: string, signal: AbortSignal) {
    this.#prefix = `parley:work:${encodeURIComponent(userId)}:`;
    this.#signal = signal;
    const removed = (event: StorageEvent) => {
      if (event.storageArea === null || event.newValue !== null || !event.key?.startsWith(this.#prefix)) return;
      for (const hear of this.#onRemoved) hear(event.key.slice(this.#prefix.length));
    };
    addEventListener("storage", removed, { signal });
    const leaving = (event: BeforeUnloadEvent) => {
      if (WORK.some((beginning) => wouldBeLost(this.#prefix + beginning))) event.preventDefault();
    };
    addEventListener("beforeunload", leaving, { signal });
  }

  readonly #onRemoved: ((name: string) => void)[] = [];

  /** Told of what another tab has finished or dropped. */
  onRemoved(listener: (name: string) => void): void {
    this.#onRemoved.push(listener);
  }

  /** A value that keeps itself while it is not `isEmpty`; the same signal for the same name. */
  kept<T>(name: string, empty: T, isEmpty: (value: T) => boolean): Signal<T> {
    const known = this.#signals.get(name);
    if (known !== undefined) return known as Signal<T>;
    const made = signal<T>(this.read<T>(name) ?? empty);
    this.#signals.set(name, made as Signal<unknown>);
    let before = made.peek();
    const stop = effect(() => {
      const { value } = made;
      if (value === before) return;
      before = value;
      if (isEmpty(value)) this.remove(name);
      else this.write(name, value);
    });
    this.#signal.addEventListener("abort", stop);
    return made;
  }

  read<T>(name: string): T | null {
    return browserStore.read<Kept<T>>(this.#prefix + name)?.value ?? null;
  }

  write<T>(name: string, value: T): void {
    const kept: Kept<T> = { at: Date.now(), value };
    const isNew = browserStore.get(this.#prefix + name) === null;
    browserStore.set(this.#prefix + name, JSON.stringify(kept));
    if (isNew) this.#bound(name.slice(0, name.indexOf(":") + 1));
  }

  remove(name: string): void {
    browserStore.remove(this.#prefix + name);
  }

  /** Those whose name begins so. */
  all<T>(beginning: string): (readonly [name: string, value: T])[] {
    const names = browserStore.keys(this.#prefix + beginning).map((key) => key.slice(this.#prefix.length));
    return names.flatMap((name) => {
      const value = this.read<T>(name);
      return value === null ? [] : [[name, value] as const];
    });
  }

  /** All of this user's. */
  forget(): void {
    for (const key of browserStore.keys(this.#prefix)) browserStore.remove(key);
  }

  #bound(beginning: string): void {
    const keys = browserStore.keys(this.#prefix + beginning);
    // What waits to be sent has the bound of the connection, and is never dropped unsaid.
    if (beginning === OUTBOX || keys.length <= MAX_KEPT) return;
    const age = (key: string) => browserStore.read<Kept<unknown>>(key)?.at ?? 0;
    const [oldest] = keys.toSorted((one, other) => age(one) - age(other));
    if (oldest !== undefined) browserStore.remove(oldest);
  }
}
