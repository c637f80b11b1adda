import type { Server, ServerResponse } from "node:http";

/** What was asked of an HTTP server and is not answered yet. Upgrades are not among it. */
export class RequestsInFlight {
  readonly #responses = new Set<ServerResponse>();
  readonly #whenNone: (() => void)[] = [];

  constructor(server: Server) {
    server.on("request", (_request, response: ServerResponse) => {
      this.#responses.add(response);
      // Comes once, after the last byte or when the connection broke.
      response.once("close", () => this.#delete(response));
    });
  }

  /** Resolves when there is none, or after so many milliseconds. */
  answered(deadline: number): Promise<void> {
    if (this.#responses.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, deadline);
      this.#whenNone.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #delete(response: ServerResponse): void {
    this.#responses.delete(response);
    if (this.#responses.size > 0) return;
    for (const resolve of this.#whenNone.splice(0)) resolve();
  }
}
