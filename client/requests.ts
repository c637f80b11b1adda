import { type BackoffOptions, backoff } from "./backoff.ts";
import { ParleyError } from "./errors.ts";
import { Listeners, reasonOf } from "./listeners.ts";

/** What becomes of a request whose line broke before it was acknowledged. */
export type Repetition =
  /** It is asked again: doing it twice is doing it once. */
  | "safe"
  /** It is given up as `interrupted`: doing it twice is not. */
  | "unsafe"
  /** It is given up, and not kept while offline either: it is about this moment. */
  | "volatile";

/** The `error` of a dialect. */
interface Refused {
  readonly code: ConstructorParameters<typeof ParleyError>[0];
  readonly message: string;
  readonly retry_after?: number | undefined;
}

interface Request<Frame> {
  readonly frame: Frame;
  readonly repetition: Repetition;
  readonly settle: { resolve: (value: never) => void; reject: (error: unknown) => void };
  readonly answer: Promise<unknown>;
  isInFlight: boolean;
  /** How often it went out on a line of its own; the first time nobody else can know the key that was drawn for it. */
  lines: number;
  /** Of the one on its way: when it is asked again, or given up with its line. */
  timers: ReturnType<typeof setTimeout>[];
}

/** What is known of a request while it waits. */
export type Waiting<Frame> = Pick<Request<Frame>, "frame" | "isInFlight" | "lines">;

/** For so long, in ms, the answer to a request may take on a line that is alive. */
const OVERDUE = 60_000;
/** So long, in ms, after what may have been the answer to a request it is asked again, to be sure. */
const DOUBT = 1_000;

export interface RequestOptions {
  /** Aborting it withdraws the request. One that is on its way may be done nevertheless. */
  signal?: AbortSignal | undefined;
}

export interface RequestsOptions<Frame> {
  /** How many are kept that are not acknowledged. */
  limit: number;
  /** How many may be on their way at once. With one, a request that is refused for now is not overtaken. */
  window: number;
  backoff: BackoffOptions | undefined;
  transmit(frame: Frame): void;
  /** The line is alive, and does not answer this: another one may. */
  overdue(): void;
}

/** What is asked of the server, in order, until it has answered each. A request is known by its key. */
export class Requests<Frame> {
  readonly changes = new Listeners<void>();
  readonly #options: RequestsOptions<Frame>;
  readonly #requests = new Map<string, Request<Frame>>();
  #state: "shut" | "open" | "closed" = "shut";
  #inFlight = 0;
  /** After a refusal for now nothing is sent until it fires. */
  #pause: ReturnType<typeof setTimeout> | undefined;
  #refusals = 0;

  constructor(options: RequestsOptions<Frame>) {
    this.#options = options;
  }

  get frames(): readonly Frame[] {
    return [...this.#requests.values()].map(({ frame }) => frame);
  }

  /**
   * @returns what it is acknowledged with; for a key that is waiting already, the answer to that one
   * @throws ParleyError when it is refused for good, given up, or not taken
   */
  add<Answer>(
    key: string,
    frame: Frame,
    repetition: Repetition = "safe",
    { signal }: RequestOptions = {},
  ): Promise<Answer> {
    const known = this.#requests.get(key);
    if (known !== undefined) return known.answer as Promise<Answer>;
    if (signal?.aborted) return Promise.reject(reasonOf(signal));
    const objection = this.#objection(repetition);
    const { promise, resolve, reject } = withResolvers<Answer>();
    // Nobody waits for the answer to what is about this moment.
    if (repetition === "volatile") promise.catch(() => {});
    if (objection !== null) {
      reject(objection);
      return promise;
    }
    this.#requests.set(key, {
      frame,
      repetition,
      settle: { resolve, reject },
      answer: promise,
      isInFlight: false,
      lines: 0,
      timers: [],
    });
    if (signal !== undefined) {
      const withdraw = () => this.#remove(key)?.settle.reject(reasonOf(signal));
      signal.addEventListener("abort", withdraw);
      const forget = () => signal.removeEventListener("abort", withdraw);
      promise.then(forget, forget);
    }
    this.#flush();
    this.changes.tell();
    return promise;
  }

  /** @returns what is done with it, if the key is one of ours */
  acknowledge(key: string, answer?: unknown): Frame | undefined {
    const request = this.#remove(key);
    if (request === undefined) return undefined;
    this.#refusals = 0;
    request.settle.resolve(answer as never);
    return request.frame;
  }

  get(key: string): Waiting<Frame> | undefined {
    return this.#requests.get(key);
  }

  /** It may have been answered: unless it soon is for certain, it is asked once more on this line. */
  doubt(key: string): void {
    const request = this.#requests.get(key);
    if (request?.isInFlight && request.timers.length < 2) {
      request.timers.push(setTimeout(() => this.#options.transmit(request.frame), DOUBT));
    }
  }

  /** @returns whether the key is one of ours */
  refuse(key: string, { code, message, retry_after }: Refused): boolean {
    const request = this.#requests.get(key);
    if (request === undefined) return false;
    if (code === "rate_limited" || code === "unavailable") {
      this.#land(request);
      const time = retry_after ?? backoff(this.#refusals, this.#options.backoff);
      // Those that were on their way together are refused together: that is one refusal.
      if (this.#pause === undefined) this.#refusals += 1;
      this.#rest(time);
    } else this.#fail(key, new ParleyError(code, message));
    return true;
  }

  /** The line is live: all that waits goes out, in order. */
  open(): void {
    // Who is told that the line is open may have closed it.
    if (this.#state === "closed") return;
    this.#state = "open";
    this.#flush();
  }

  /** The line broke. */
  shut(): void {
    if (this.#state === "closed") return;
    this.#state = "shut";
    this.#wake();
    for (const [key, request] of [...this.#requests]) {
      const { repetition, isInFlight } = request;
      this.#land(request);
      if (repetition === "volatile" || (repetition === "unsafe" && isInFlight)) this.#fail(key, INTERRUPTED());
    }
  }

  /** The line ended for good. */
  close(why: string): void {
    this.#state = "closed";
    this.#wake();
    for (const [key, { answer }] of [...this.#requests]) {
      // The connection's state tells of the end: who did not wait for the answer is not to be ended by it.
      answer.catch(() => {});
      this.#fail(key, new ParleyError("closed", why));
    }
  }

  /** One of those on their way is more than the server takes. @returns whether there was any */
  giveUpLargest(): boolean {
    const sizeOf = (request: Request<Frame>) => JSON.stringify(request.frame).length;
    const [largest] = [...this.#requests]
      .filter(([, { isInFlight }]) => isInFlight)
      .sort(([, one], [, other]) => sizeOf(other) - sizeOf(one));
    if (largest === undefined) return false;
    // The line is gone: what waits behind it does not go out on this one.
    this.#state = "shut";
    this.#fail(largest[0], new ParleyError("too_large", "larger than the server takes"));
    return true;
  }

  #objection(repetition: Repetition): ParleyError | null {
    if (this.#state === "closed") return new ParleyError("closed", "the connection is closed");
    if (repetition === "volatile" && this.#state === "shut") return INTERRUPTED();
    const { limit } = this.#options;
    return this.#requests.size < limit ? null : new ParleyError("queue_full", `${limit} requests wait already`);
  }

  #flush(): void {
    if (this.#state !== "open" || this.#pause !== undefined) return;
    for (const request of this.#requests.values()) {
      if (this.#inFlight >= this.#options.window) return;
      if (request.isInFlight) continue;
      request.isInFlight = true;
      request.lines += 1;
      request.timers = [setTimeout(() => this.#options.overdue(), OVERDUE)];
      this.#inFlight += 1;
      this.#options.transmit(request.frame);
    }
  }

  #rest(time: number): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#wake();
      this.#flush();
    }, time);
  }

  #wake(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  #land(request: Request<Frame>): void {
    if (!request.isInFlight) return;
    request.isInFlight = false;
    request.timers.splice(0).forEach(clearTimeout);
    this.#inFlight -= 1;
  }

  #fail(key: string, error: ParleyError): void {
    this.#remove(key)?.settle.reject(error);
  }

  #remove(key: string): Request<Frame> | undefined {
    const request = this.#requests.get(key);
    if (request === undefined) return undefined;
    this.#requests.delete(key);
    this.#land(request);
    this.#flush();
    this.changes.tell();
    return request;
  }
}

const INTERRUPTED = () => new ParleyError("interrupted", "the line broke");

/** 128 random bits; `crypto.randomUUID` is for pages over https alone. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** As `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((...callbacks) => {
    [resolve, reject] = callbacks;
  });
  return { promise, resolve, reject };
}
