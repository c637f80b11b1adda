/** What a page or worker is told of itself. Node tells nothing of the kind. */
interface PageListeners {
  online(): void;
  offline(): void;
  /** Somebody looks at it: it was shown, focused, restored, or woken. */
  looked(): void;
}

/** Each browser, and each way to come back, tells it by other events; the last two are told to the document. */
const LOOKS = ["focus", "pageshow", "visibilitychange", "resume"];

interface Target {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

/** @returns what ends it */
export function watchPage({ online, offline, looked }: PageListeners): () => void {
  const window = globalThis as Target & { document?: Target & { visibilityState?: string } };
  const { document } = window;
  const look = () => {
    if (document?.visibilityState !== "hidden") looked();
  };
  const watch = (method: keyof Target) => {
    window[method]?.("online", online);
    window[method]?.("offline", offline);
    for (const type of LOOKS) {
      window[method]?.(type, look);
      document?.[method]?.(type, look);
    }
  };
  watch("addEventListener");
  return () => watch("removeEventListener");
}
