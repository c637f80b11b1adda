export type Unsubscribe = () => void;

export interface Listening {
  /** Aborting it ends the listening. */
  signal?: AbortSignal | undefined;
}

/** Those who want to hear of one thing. */
export class Listeners<T> {
  readonly #listeners = new Set<{ hear: (value: T) => void; remove: Unsubscribe }>();
  readonly #untold: T[] = [];

  add(hear: (value: T) => void, { signal }: Listening = {}): Unsubscribe {
    if (signal?.aborted) return () => {};
    const remove = () => {
      this.#listeners.delete(listener);
      signal?.removeEventListener("abort", remove);
    };
    const listener = { hear, remove };
    this.#listeners.add(listener);
    signal?.addEventListener("abort", remove);
    return remove;
  }

  clear(): void {
    for (const { remove } of this.#listeners) remove();
  }

  tell(value: T): void {
    // What a listener brings about is told when everybody has heard what brought it about.
    if (this.#untold.push(value) > 1) return;
    for (const next of this.#untold) this.#tell(next);
    this.#untold.length = 0;
  }

  #tell(value: T): void {
    for (const listener of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue;
      try {
        listener.hear(value);
      } catch (error) {
        // As an EventTarget does: it is reported as uncaught, and costs the others nothing.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/** Safari before 15.4 keeps no reason. */
export function reasonOf({ reason }: AbortSignal): unknown {
  return reason ?? new DOMException("aborted", "AbortError");
}
