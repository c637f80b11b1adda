import { backoff } from "./backoff.ts";
import {
  CLOSED_HERE,
  type CloseReason,
  isFinal,
  NO_ANSWER,
  TOKEN_EXPIRED,
  TOO_MANY_SOCKETS,
  UNAUTHORIZED,
} from "./close-codes.ts";
import type { ConnectionState, ConnectOptions } from "./connect-options.ts";
import { messageOf } from "./errors.ts";
import { explain, type Refusal, UNREACHED } from "./handshake.ts";
import { Heartbeat } from "./heartbeat.ts";
import { type LineHandler, parseFrame } from "./line-handler.ts";
import { Listeners } from "./listeners.ts";
import { watchPage } from "./page.ts";
import { socketUrlOf } from "./server.ts";
import { Suspicion } from "./suspicion.ts";
import { askToken, forgetToken } from "./tokens.ts";
import type { WebSocketConstructor, WebSocketLike } from "./web-socket.ts";

/** The lines for which there was no room: the end of any other may have made some. */
const crowded = new Set<Line>();

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
  /** The token that is awaited. */
  #asked: Promise<string> | null = null;
  /** Aborted when the question why a handshake failed is of no use any more. */
  #asking: AbortController | null = null;
  /** What becomes of the attempt when nothing has come in time. */
  #overdue: () => void = () => {};
  #stopWatching: () => void = () => {};
  /** What a callback compares to know whether it belongs to the present attempt. */
  #attempt = {};
  /** Of the next attempt. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Since the last time the line was open. */
  #failures = 0;
  readonly #suspicion = new Suspicion();
  /** The token in whose place the next attempt needs another; null where a kept one will do. */
  #refused: string | null = null;

  constructor(path: string, options: ConnectOptions, ping: string, handler: LineHandler) {
    this.path = path;
    this.#options = options;
    this.#handler = handler;
    this.#heartbeat = new Heartbeat(
      options.heartbeat ?? {},
      () => this.#transmit(ping),
      () => this.#overdue(),
    );
    const { WebSocket = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket } = options;
    if (WebSocket === undefined)
      throw new TypeError("WebSocket: there is no global one; hand in that of the package ws");
    this.#WebSocket = WebSocket;
    socketUrlOf(options, path, "");
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
    this.#suspicion.clear();
    this.#refused = null;
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
    this.#wait(why);
  }

  retry = (): void => {
    if (this.#state.name === "waiting") void this.#connect();
    else if (this.#asked !== null) {
      // A token that does not come: it is asked for anew, once for all who do so.
      forgetToken(this.#options.getToken, this.#asked);
      void this.#connect();
    }
  };

  close = (): void => {
    if (this.#state.name !== "closed") this.#end(CLOSED_HERE);
  };

  #begin(): void {
    const { signal } = this.#options;
    if (signal?.aborted) this.close();
    if (this.#state.name === "closed") return;
    signal?.addEventListener("abort", this.close);
    this.#stopWatching = watchPage({ online: this.retry, offline: this.#offline, looked: this.#looked });
    void this.#connect();
  }

  async #connect(): Promise<void> {
    clearTimeout(this.#timer);
    crowded.delete(this);
    const attempt = {};
    this.#attempt = attempt;
    this.#enter({ name: "connecting" });
    if (attempt !== this.#attempt) return;
    const { getToken } = this.#options;
    const refused = this.#refused;
    const asked = askToken(getToken, refused);
    this.#asked = asked;
    this.#expect(() => {
      forgetToken(getToken, asked);
      this.#wait(noToken(`getToken has not answered for ${this.#heartbeat.patience} ms`));
    });
    let token: string;
    try {
      token = await asked;
    } catch (error) {
      if (attempt === this.#attempt) this.#wait(noToken(messageOf(error)));
      return;
    }
    if (attempt !== this.#attempt) return;
    this.#asked = null;
    try {
      const url = socketUrlOf(this.#options, this.path, this.#handler.query());
      this.#open(new this.#WebSocket(url, ["bearer", token]), token, refused !== null);
    } catch (error) {
      this.#wait({ code: 1006, reason: `no socket can be made: ${messageOf(error)}` });
    }
  }

  #open(socket: WebSocketLike, token: string, isFresh: boolean): void {
    let isAdmitted = false;
    this.#socket = socket;
    this.#expect(() => this.drop(NO_ANSWER));
    // Whichever tells of the end: once it is released nothing more is heard of the socket.
    const ended = (why: CloseReason, message = ""): void => {
      this.#release();
      if (isAdmitted) this.#judge({ ...why, isBlind: false }, token, isFresh);
      else void this.#explain(message, token, isFresh);
    };
    socket.onopen = () => {
      isAdmitted = true;
      this.#handler.connected(token);
    };
    socket.onmessage = ({ data }: { data: string }) => this.#receive(data);
    socket.onclose = ({ code, reason }: CloseReason) => ended({ code, reason });
    socket.onerror = ({ message }: { message?: string }) => {
      // The WebSocket of Node 22 tells of a handshake that failed by nothing else; of an open socket the code is still to come.
      if (isAdmitted) this.#heartbeat.expectAnew();
      else ended(UNREACHED, message);
    };
  }

  /** The handshake failed. */
  async #explain(message: string, token: string, isFresh: boolean): Promise<void> {
    const attempt = this.#attempt;
    const asking = new AbortController();
    this.#asking = asking;
    const conclude = (why: Refusal) => {
      if (attempt === this.#attempt) this.#judge(why, token, isFresh);
    };
    this.#expect(() => conclude(UNREACHED));
    conclude(await explain(this.#options, token, { message, signal: asking.signal }));
  }

  /** A token is refused for good when it was asked for anew. */
  #judge({ code, reason, isBlind }: Refusal, token: string, isFresh: boolean): void {
    const why = { code, reason };
    const isExpired = code === TOKEN_EXPIRED;
    if (isExpired || code === UNAUTHORIZED) this.#refused = token;
    if (isBlind) this.#refused = this.#suspicion.falls(token) ? token : null;
    const isHopeless = isFinal(code) && !this.#handler.excuses(why);
    if (isHopeless || (code === UNAUTHORIZED && isFresh)) this.#end(why);
    else if (isExpired && this.#failures === 0) {
      this.#failures += 1;
      if (this.#lose(why)) void this.#connect();
    } else this.#wait(why);
  }

  #receive(text: string): void {
    this.#heartbeat.heard();
    this.#options.onWire?.({ direction: "in", path: this.path, text });
    const frame = parseFrame(text);
    if (frame === null) this.drop({ code: 1007, reason: "what came is no JSON object" });
    else this.#handler.receive(frame);
  }

  /** From now on something is to come; `overdue` is what becomes of the attempt when nothing does. */
  #expect(overdue: () => void): void {
    this.#overdue = overdue;
    this.#heartbeat.expectAnew();
  }

  #transmit(text: string): void {
    this.#options.onWire?.({ direction: "out", path: this.path, text });
    this.#socket?.send(text);
  }

  #wait(why: CloseReason): void {
    this.#attempt = {};
    if (!this.#lose(why)) return;
    const isCrowded = why.code === TOO_MANY_SOCKETS;
    const delay = backoff(this.#failures, this.#options.backoff, isCrowded);
    this.#failures += 1;
    if (isCrowded) crowded.add(this);
    this.#timer = setTimeout(this.retry, delay);
    this.#enter({ name: "waiting", nextAttemptAt: Date.now() + delay, why });
  }

  /** @returns false when whoever heard of it has closed the line */
  #lose(why: CloseReason): boolean {
    clearTimeout(this.#timer);
    this.#release();
    this.#handler.lost(why);
    return this.#state.name !== "closed";
  }

  #end(why: CloseReason): void {
    this.#attempt = {};
    clearTimeout(this.#timer);
    this.#release();
    this.#options.signal?.removeEventListener("abort", this.close);
    this.#stopWatching();
    this.#enter({ name: "closed", why });
    this.#handler.ended(why);
    this.#resolveClosed(why);
    crowded.delete(this);
    // One for one: the others find out later that there is room for them too.
    const [next] = crowded;
    next?.retry();
  }

  /** Nothing more is heard of this attempt, whatever its socket still does. */
  #release(): void {
    this.#heartbeat.stop();
    this.#asked = null;
    this.#asking?.abort();
    this.#asking = null;
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // Without a listener `ws` would throw it.
    socket.onerror = () => {};
    socket.close(1000);
  }

  #enter(state: ConnectionState): void {
    this.#state = state;
    this.states.tell(state);
  }

  /** Nothing would come through; a socket would find that out in minutes. */
  #offline = (): void => {
    const { name } = this.#state;
    if (name === "open" || name === "connecting") this.drop({ code: 1006, reason: "offline" });
  };

  /** Somebody looks at the page, which may have slept: what it shows is to be true. */
  #looked = (): void => {
    if (this.#state.name === "waiting") this.retry();
    else if (this.#state.name === "open") this.#heartbeat.check();
  };
}

function noToken(reason: string): CloseReason {
  return { code: UNAUTHORIZED, reason: `no token: ${reason}` };
}
