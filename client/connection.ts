import { CLOSED_HERE, type CloseReason } from "./close-codes.ts";
import type { ConnectionState, ConnectOptions } from "./connect-options.ts";
import { ParleyError } from "./errors.ts";
import { FrameIterator } from "./frame-iterator.ts";
import { Line } from "./line.ts";
import { Listeners, type Listening, type Unsubscribe } from "./listeners.ts";

/** What the connections of all dialects have in common; they say what is sent and what becomes of a frame. */
export abstract class Connection<Frame> implements AsyncIterable<Frame, undefined> {
  readonly #frames = new Listeners<Frame>();
  readonly #iterators = new Set<FrameIterator<Frame>>();
  readonly #line: Line;

  /** @throws TypeError when there is no WebSocket or no `url` to be had */
  constructor(path: string, options: ConnectOptions, ping: string) {
    this.#line = new Line(path, options, ping, {
      query: () => this.query(),
      connected: (token) => this.connected(token),
      receive: (frame) => this.receive(frame as Frame),
      excuses: (why) => this.excuses(why),
      lost: () => this.lost(),
      ended: (why) => this.#ended(why),
    });
  }

  get path(): string {
    return this.#line.path;
  }

  get state(): ConnectionState {
    return this.#line.state;
  }

  /** Resolved with why, when no other attempt will be made. */
  get closed(): Promise<CloseReason> {
    return this.#line.closed;
  }

  /** Told of each change from now on. */
  onState(listener: (state: ConnectionState) => void, options?: Listening): Unsubscribe {
    return this.#line.states.add(listener, options);
  }

  /** Told of each frame from now on, in order. */
  onFrame(listener: (frame: Frame) => void, options?: Listening): Unsubscribe {
    return this.#frames.add(listener, options);
  }

  /**
   * Each frame from now on, in order. The loop ends when the connection is closed here, and throws a ParleyError `closed` when
   * it is closed for good for another reason, `interrupted` when it is more than 10,000 frames behind.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Frame, undefined> {
    const iterator = new FrameIterator<Frame>(() => this.#iterators.delete(iterator));
    this.#iterators.add(iterator);
    if (this.state.name === "closed") iterator.end(errorOf(this.state.why));
    return iterator;
  }

  /** Makes the next attempt now, when one is waited for; while a token is awaited it is asked for anew. */
  retry(): void {
    this.#line.retry();
  }

  /** For good. Nothing is heard after it, nothing goes on running, and what was not acknowledged is rejected as `closed`. */
  close(): void {
    this.#line.close();
  }

  protected abstract query(): string;
  protected abstract connected(token: string): void;
  protected abstract receive(frame: Frame): void;
  protected abstract excuses(why: CloseReason): boolean;
  protected abstract lost(): void;
  protected abstract ended(why: CloseReason): void;

  protected opened(): void {
    this.#line.opened();
  }

  protected transmit(frame: object): void {
    this.#line.send(frame);
  }

  protected say(frame: object): void {
    this.#line.say(frame);
  }

  protected drop(why: CloseReason): void {
    this.#line.drop(why);
  }

  protected tell(frame: Frame): void {
    this.#frames.tell(frame);
    for (const iterator of this.#iterators) iterator.push(frame);
  }

  #ended(why: CloseReason): void {
    this.ended(why);
    this.#frames.clear();
    for (const iterator of this.#iterators) iterator.end(errorOf(why));
  }
}

function errorOf(why: CloseReason): ParleyError | null {
  return why === CLOSED_HERE ? null : new ParleyError("closed", `${why.reason} (${why.code})`);
}
