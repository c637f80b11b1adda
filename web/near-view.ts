/** Pixels above and below what is in view that are near it. */
const NEAR = 1_500;

/** Tells elements of a scrolling box when they come near to what is in view, and when they leave. */
export class NearView {
  readonly #observer: IntersectionObserver;
  readonly #listeners = new Map<Element, (isNear: boolean) => void>();

  constructor(root: Element) {
    const options = { root, rootMargin: `${NEAR}px 0px` };
    this.#observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.#listeners.get(target)?.(isIntersecting);
    }, options);
  }

  /** @returns what ends it */
  watch(element: Element, listener: (isNear: boolean) => void): () => void {
    this.#listeners.set(element, listener);
    this.#observer.observe(element);
    return () => {
      this.#listeners.delete(element);
      this.#observer.unobserve(element);
    };
  }

  close(): void {
    this.#observer.disconnect();
  }
}
