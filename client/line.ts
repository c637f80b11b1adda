import { type BackoffOptions, backoff } from "./backoff.ts";
import { CLOSED_HERE, type CloseReason, isFinal, TOKEN_EXPIRED, UNAUTHORIZED } from "./close-codes.ts";
import { refusedStatus } from "./handshake.ts";
import { Heartbeat, type HeartbeatOptions } from "./heartbeat.ts";
import { Listeners } from "./listeners.ts";
import { type ServerOptions, urlOf } from "./server.ts";
import type { WebSocketConstructor, WebSocketLike } from "./web-socket.ts";

export interface WireFrame {
  readonly direction: "in" | "out";
  /** Of the socket, without its query. */
  readonly path: string;
  readonly text: string;
}

export interface ConnectOptions extends ServerOptions {
  /** Where there is no global one, as on Node 20: that of the package `ws`. */
  WebSocket?: WebSocketConstructor | undefined;
  /** Aborting it closes the connection. */
  signal?: AbortSignal | undefined;
  /** Told of every frame as it goes by, for a developer's eyes. */
  onWire?: ((frame: WireFrame) => void) | undefined;
  backoff?: BackoffOptions | undefined;
  heartbeat?: HeartbeatOptions | undefined;
}

export type ConnectionState =
  | { readonly name: "connecting" }
  /** Live, and caught up with what was missed. */
  | { readonly name: "open" }
  /** Milliseconds since 1970. */
  | { readonly name: "waiting"; readonly nextAttemptAt: number; readonly why: CloseReason }
  /** For good. */
  | { readonly name: "closed"; readonly why: CloseReason };

/** What a dialect does with a line. */
export interface LineHandler {
  /** The query of the next attempt, such as `since=7`; empty for none. */
  query(): string;
  /** A socket is there: what is to be said first. */
  connected(): void;
  /** A frame came; JSON, parsed. */
  receive(frame: object): void;
  /** Whether coming back may help although `why` says that it does not. */
  excuses(why: CloseReason): boolean;
  /** The socket is gone, another will come. */
  lost(why: CloseReason): void;
  /** No other will come. */
  ended(why: CloseReason): void;
}

/** One connection as its user sees it, over as many sockets as it takes. It knows no dialect but the ping that it is given. */
export class Line {
  readonly path: string;
  readonly closed: Promise<CloseReason>;
  readonly states = new Listeners<ConnectionState>();
  readonly #options: ConnectOptions;
  readonly #WebSocket: WebSocketConstructor;
  readonly #handler: LineHandler;
  readonly #heartbeat: Heartbeat;
  #state: ConnectionState = { name: "connecting" };
  #resolveClosed: (why: CloseReason) => void = () => {};
  #socket: WebSocketLike | null = null;
  /** Aborted at the end, with what is under way. */
  readonly #ended = new AbortController();
  /** What a callback compares to know whether it belongs to the present attempt. */
  #attempt = {};
  /** Of the next attempt. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Since the last time the line was open. */
  #failures = 0;
  #needsFreshToken = false;

  constructor(path: string, options: ConnectOptions, ping: string, handler: LineHandler) {
    this.path = path;
    this.#options = options;
    this.#handler = handler;
    this.#heartbeat = new Heartbeat(
      options.heartbeat ?? {},
      () => this.#transmit(ping),
      () => this.drop({ code: 1006, reason: "no answer" }),
    );
    const { WebSocket = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket } = options;
    if (WebSocket === undefined)
      throw new TypeError("WebSocket: there is no global one; hand in that of the package ws");
    this.#WebSocket = WebSocket;
    urlOf(options, path);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    // Not at once: whoever makes a line is not yet ready to be told of it.
    queueMicrotask(() => this.#begin());
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The dialect has caught up: what waited may be sent. */
  opened(): void {
    // Whoever heard of the last frame may have closed it.
    if (this.#state.name === "closed") return;
    this.#failures = 0;
    this.#needsFreshToken = false;
    this.#enter({ name: "open" });
  }

  /** What is answered: silence after it means that the line is dead. */
  send(frame: object): void {
    this.say(frame);
    this.#heartbeat.expect();
  }

  /** What is not answered. */
  say(frame: object): void {
    this.#transmit(JSON.stringify(frame));
  }

  /** The line is not what it should be: another socket, after a while. */
  drop(why: CloseReason): void {
    if (this.#state.name === "closed") return;
    // A farewell would wait for an answer.
    this.#socket?.terminate?.();
    this.#release();
    this.#wait(why);
  }

  retry = (): void => {
    if (this.#state.name === "waiting") void this.#connect();
  };

  close = (): void => {
    if (this.#state.name !== "closed") this.#end(CLOSED_HERE);
  };

  #begin(): void {
    const { signal } = this.#options;
    if (signal?.aborted) this.close();
    if (this.#state.name === "closed") return;
    signal?.addEventListener("abort", this.close);
    this.#watchNetwork("addEventListener");
    void this.#connect();
  }

  async #connect(): Promise<void> {
    clearTimeout(this.#timer);
    this.#attempt = {};
    const attempt = this.#attempt;
    this.#enter({ name: "connecting" });
    if (attempt !== this.#attempt) return;
    const refresh = this.#needsFreshToken;
    try {
      const token = await this.#options.getToken({ refresh });
      if (attempt !== this.#attempt) return;
      this.#open(new this.#WebSocket(this.#url(), ["bearer", token]), token, refresh);
    } catch (error) {
      // No token, or one that cannot be one.
      if (attempt === this.#attempt) this.#wait({ code: UNAUTHORIZED, reason: `no token: ${messageOf(error)}` });
    }
  }

  #url(): string {
    const url = urlOf(this.#options, this.path);
    url.protocol = url.protocol.replace("http", "ws");
    url.search = this.#handler.query();
    return url.href;
  }

  #open(socket: WebSocketLike, token: string, isFreshToken: boolean): void {
    const attempt = this.#attempt;
    let isAdmitted = false;
    this.#socket = socket;
    this.#heartbeat.expect();
    socket.onopen = () => {
      isAdmitted = true;
      this.#handler.connected();
    };
    socket.onmessage = ({ data }: { data: string }) => this.#receive(data);
    // It says nothing that the close after it does not; without a listener `ws` would throw it.
    socket.onerror = () => {};
    socket.onclose = async ({ code, reason }: CloseReason) => {
      this.#release();
      const status = isAdmitted ? null : await refusedStatus(this.#options, token, this.#patience());
      if (attempt !== this.#attempt) return;
      this.#judge(status === null ? { code, reason } : { code: status, reason: "the token was refused" }, isFreshToken);
    };
  }

  /** A token is refused for good when it was asked for anew. */
  #judge(why: CloseReason, isFreshToken: boolean): void {
    if (why.code === TOKEN_EXPIRED || why.code === UNAUTHORIZED) this.#needsFreshToken = true;
    const isHopeless = isFinal(why.code) && !this.#handler.excuses(why);
    if (isHopeless || (why.code === UNAUTHORIZED && isFreshToken)) this.#end(why);
    else if (why.code === TOKEN_EXPIRED && this.#failures === 0) {
      this.#failures += 1;
      if (this.#lose(why)) void this.#connect();
    } else this.#wait(why);
  }

  #receive(text: string): void {
    this.#heartbeat.heard();
    this.#options.onWire?.({ direction: "in", path: this.path, text });
    const frame = parsed(text);
    if (frame === null) this.drop({ code: 1007, reason: "what came is no JSON object" });
    else this.#handler.receive(frame);
  }

  /** Aborted when an answer is overdue, or of no use any more. */
  #patience(): AbortSignal {
    return AbortSignal.any([this.#ended.signal, AbortSignal.timeout(this.#heartbeat.patience)]);
  }

  #transmit(text: string): void {
    this.#options.onWire?.({ direction: "out", path: this.path, text });
    this.#socket?.send(text);
  }

  #wait(why: CloseReason): void {
    this.#attempt = {};
    if (!this.#lose(why)) return;
    const delay = backoff(this.#failures, this.#options.backoff);
    this.#failures += 1;
    this.#timer = setTimeout(this.retry, delay);
    this.#enter({ name: "waiting", nextAttemptAt: Date.now() + delay, why });
  }

  /** @returns false when whoever heard of it has closed the line */
  #lose(why: CloseReason): boolean {
    clearTimeout(this.#timer);
    this.#handler.lost(why);
    return this.#state.name !== "closed";
  }

  #end(why: CloseReason): void {
    this.#attempt = {};
    clearTimeout(this.#timer);
    this.#release();
    this.#ended.abort();
    this.#options.signal?.removeEventListener("abort", this.close);
    this.#watchNetwork("removeEventListener");
    this.#enter({ name: "closed", why });
    this.#handler.ended(why);
    this.#resolveClosed(why);
  }

  /** Nothing more is heard of this socket, whatever it still does. */
  #release(): void {
    this.#heartbeat.stop();
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  #enter(state: ConnectionState): void {
    this.#state = state;
    this.states.tell(state);
  }

  #watchNetwork(method: "addEventListener" | "removeEventListener"): void {
    const browser = globalThis as { [M in typeof method]?: (type: string, listener: () => void) => void };
    browser[method]?.("online", this.retry);
    browser[method]?.("offline", this.#offline);
  }

  /** Nothing would come through; a socket would find that out in minutes. */
  #offline = (): void => {
    if (this.#socket !== null) this.drop({ code: 1006, reason: "offline" });
  };
}

function parsed(text: string): object | null {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === "object" ? frame : null;
  } catch {
    return null;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
