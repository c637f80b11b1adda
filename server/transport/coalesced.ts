/** Work that may be asked for again while it waits or runs: one run is under way, and at most one more follows it. */
export class Coalesced {
  readonly #options: {
    readonly work: (begun: () => void) => Promise<void>;
    readonly onFailed: (error: unknown) => void;
  };
  #state: "idle" | "under way" | "again" = "idle";

  /** `work` calls `begun` once its turn has come: what is asked for before that needs no other run. */
  constructor(work: (begun: () => void) => Promise<void>, onFailed: (error: unknown) => void) {
    this.#options = { work, onFailed };
  }

  request(): void {
    if (this.#state !== "idle") {
      this.#state = "again";
      return;
    }
    this.#state = "under way";
    const { work, onFailed } = this.#options;
    const begun = () => {
      this.#state = "under way";
    };
    work(begun).then(
      () => {
        const isAgain = this.#state === "again";
        this.#state = "idle";
        if (isAgain) this.request();
      },
      (error: unknown) => {
        this.#state = "idle";
        onFailed(error);
      },
    );
  }
}
