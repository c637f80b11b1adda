import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** What was asked of an HTTP server and is not answered yet, by connection. Upgrades are not among it. */
export class RequestsInFlight {
  readonly #unanswered = new Set<ServerResponse>();
  readonly #connections = new WeakMap<Socket, Set<ServerResponse>>();
  readonly #whenNone: (() => void)[] = [];
  readonly #whenIdle = new WeakMap<Socket, () => void>();

  static readonly #known = new WeakMap<Server, RequestsInFlight>();

  /** The one of a server; made before anybody connects. */
  static of(server: Server): RequestsInFlight {
    const known = RequestsInFlight.#known.get(server) ?? new RequestsInFlight(server);
    RequestsInFlight.#known.set(server, known);
    return known;
  }

  private constructor(server: Server) {
    server.prependListener("request", (request, response) => this.add(request.socket, response));
    // An expectation that is not known is ignored (RFC 9110, 10.1.1). Node would answer it by itself, unseen from here.
    server.on("checkExpectation", (request, response) => server.emit("request", request, response));
  }

  /** To be called again does no harm: a second server of the same application has no `request` that is heard here. */
  add(socket: Socket, response: ServerResponse): void {
    if (this.#unanswered.has(response)) return;
    this.#unanswered.add(response);
    this.#of(socket).add(response);
    // Comes once, after the last byte or when the connection broke.
    response.once("close", () => this.#delete(socket, response));
  }

  /** The response that is being written on this connection. */
  oldest(socket: Socket): ServerResponse | undefined {
    return this.#connections.get(socket)?.values().next().value;
  }

  /** Calls back when all that came whole on this connection is answered: at once, where nothing of it is in flight. */
  whenIdle(socket: Socket, proceed: () => void): void {
    if (isIdle(this.#connections.get(socket))) proceed();
    else this.#whenIdle.set(socket, proceed);
  }

  /** Resolves when there is none, or after so many milliseconds. */
  answered(deadline: number): Promise<void> {
    if (this.#unanswered.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, deadline);
      this.#whenNone.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #of(socket: Socket): Set<ServerResponse> {
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    const responses = new Set<ServerResponse>();
    this.#connections.set(socket, responses);
    // Node tells the one response that is being written. Those behind it hear nothing, once an upgrade request has followed
    // them: they would count for ever. Node goes first.
    socket.once("close", () =>
      setImmediate(() => {
        for (const response of responses) response.emit("close");
      }),
    );
    return responses;
  }

  #delete(socket: Socket, response: ServerResponse): void {
    this.#unanswered.delete(response);
    const responses = this.#of(socket);
    responses.delete(response);
    if (isIdle(responses)) {
      const proceed = this.#whenIdle.get(socket);
      this.#whenIdle.delete(socket);
      proceed?.();
    }
    if (this.#unanswered.size > 0) return;
    for (const resolve of this.#whenNone.splice(0)) resolve();
  }
}

function isIdle(responses: ReadonlySet<ServerResponse> | undefined): boolean {
  return [...(responses ?? [])].every(({ req }) => !req.complete);
}
