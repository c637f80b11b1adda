import { claimsOf } from "./claims.ts";
import { type CloseReason, NO_ANSWER, TOO_LARGE } from "./close-codes.ts";
import type { ConnectOptions } from "./connect-options.ts";
import { Connection } from "./connection.ts";
import { type Data, type DialectRules, type Dialects, dialectRules, type EventPath } from "./dialects.ts";
import type { Listening, Unsubscribe } from "./listeners.ts";
import { newKey, type RequestOptions, Requests } from "./requests.ts";

/** `{"event", "data", "id"?}`: what a server event looks like to those who hear all of them. */
export interface EventFrame {
  readonly event: string;
  readonly data: unknown;
  readonly id?: string | number;
}

interface EventRequest {
  readonly event: string;
  readonly data: Data;
  readonly id: string;
}

export interface EventsOptions extends ConnectOptions {
  /**
   * For each conversation the `seq` up to which the app has it, as `GET /api/conversations` and `connectRooms` say it: what came
   * after it is delivered first.
   */
  since?: Readonly<Record<string, number>> | undefined;
  /** How many requests are kept that are not acknowledged; 1,000 by default. */
  queueLimit?: number | undefined;
}

type Sends<Path extends EventPath> = Dialects[Path]["sends"];
type Answers<Path extends EventPath> = Dialects[Path]["answers"];
type Hears<Path extends EventPath> = Dialects[Path]["hears"];

/** How many requests may wait for their acknowledgement at once. */
const WINDOW = 32;
/** The `id` of what opens a line. */
const OPENING = "open";

/**
 * One socket of an event dialect, `/chat` or `/rooms`. Source of the events: `docs/live-chat.md`, `docs/rooms.md`.
 *
 * The changes of each conversation come in the order of `seq`, each once. After a broken line it resumes in the conversations
 * that it knows of: those of `since`, those of the list of `connectRooms`, and those in which something was heard (the last
 * 150 of them on `/chat`, 500 on `/rooms`). Where that fails, `resume_failed` says so, and the app reads that history over
 * HTTP. On `/rooms` the list that the app has asked for is asked for anew: `connectRooms` comes again, and shows what began
 * meanwhile. On `/chat` that is to be seen in `Api.conversations`.
 */
export class Events<Path extends EventPath> extends Connection<EventFrame> {
  readonly #rules: DialectRules;
  readonly #requests: Requests<EventRequest>;
  /** For each conversation the seq of the last change that was delivered. */
  readonly #positions: Map<string, number>;
  /** The data of the last `connectRooms` that was done. */
  #list: Data | null = null;
  #user: string | null = null;

  constructor(path: Path, options: EventsOptions) {
    super(path, options, `{"event":"ping"}`);
    this.#rules = dialectRules[path];
    this.#positions = new Map(Object.entries(options.since ?? {}));
    this.#requests = new Requests({
      limit: options.queueLimit ?? 1_000,
      window: WINDOW,
      backoff: options.backoff,
      transmit: (request) => this.#transmit(request),
      overdue: () => this.drop(NO_ANSWER),
    });
  }

  /** For each conversation the number of the last change that was delivered. */
  get positions(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#positions);
  }

  on<Name extends keyof Hears<Path> & string>(
    event: Name,
    listener: (data: Hears<Path>[Name]) => void,
    options?: Listening,
  ): Unsubscribe;
  /** On `/rooms` a message may come as an event that is named after the user's id. */
  on(event: string, listener: (data: unknown) => void, options?: Listening): Unsubscribe;
  on(event: string, listener: (data: never) => void, options?: Listening): Unsubscribe {
    return this.onFrame((frame) => {
      if (frame.event === event) listener(frame.data as never);
    }, options);
  }

  /**
   * Up to 32 requests are on their way at once: await one where another may not overtake it when the server refuses it for now.
   *
   * @returns the data of the acknowledgement
   * @throws ParleyError when it is refused for good; `interrupted` when the line broke and repeating it is not safe
   */
  send<Name extends keyof Sends<Path> & keyof Answers<Path> & string>(
    event: Name,
    data: Sends<Path>[Name],
    options?: RequestOptions,
  ): Promise<Answers<Path>[Name]> {
    const id = newKey();
    const request = { event, data: this.#rules.identify(event, data as Data, id), id };
    return this.#requests.add(id, request, this.#rules.repetitions[event], options);
  }

  protected override query(): string {
    const since = this.positions;
    // The other dialect says it in connectRooms.
    const isInPath = this.path === "/chat" && this.#positions.size > 0;
    return isInPath ? `since=${encodeURIComponent(JSON.stringify(since))}` : "";
  }

  /** The answer to it says that the socket is live. */
  protected override connected(token: string): void {
    this.#user = claimsOf(token).userId;
    if (this.#list === null) this.transmit({ event: "ping", id: OPENING });
    else this.#transmit({ event: "connectRooms", data: this.#list, id: OPENING });
  }

  #transmit({ event, data, id }: EventRequest): void {
    if (event !== "connectRooms") {
      this.transmit({ event, data, id });
      return;
    }
    const { since = {}, ...list } = data;
    for (const [room, seq] of Object.entries(since as object)) this.#learn(room, seq);
    this.transmit({ event, data: { ...list, since: this.positions }, id });
  }

  protected override receive(frame: EventFrame): void {
    const { event, data, id } = frame;
    if (event === "ack") {
      if (id === OPENING) {
        this.opened();
        this.#requests.open();
      } else {
        const request = this.#requests.acknowledge(String(id), data);
        // One that was refused would be refused on every line.
        if (request?.event === "connectRooms") this.#list = request.data;
      }
    } else if (!isObject(data)) return;
    else if (event === "error") this.#refused(frame);
    else if (event !== "pong" && this.#rules.isKnown(event, data, this.#user) && this.#isNews(event, data))
      this.tell(frame);
  }

  #refused(frame: EventFrame): void {
    const refusal = frame.data as { code: "internal"; message: string };
    if (frame.id === OPENING) this.drop({ code: 1013, reason: refusal.message });
    else if (frame.id === undefined || !this.#requests.refuse(String(frame.id), refusal)) this.tell(frame);
  }

  /** Keeps the positions. @returns false for a change that was delivered before, and for what the acknowledgement says */
  #isNews(event: string, data: Data): boolean {
    const { conversation, read, resumed, resumeFailed } = this.#rules;
    if (Array.isArray(data)) {
      // A page of the list. Of those that are known the replay is still to come.
      for (const room of data as { _id: string; seq: number }[]) this.#learn(room._id, room.seq);
    } else if (event.startsWith("group_") && typeof data._id === "string") this.#learn(data._id, data.seq);
    const id = data[conversation];
    if (typeof id !== "string" || typeof data.seq !== "number" || event === read) return true;
    if (data.repeated === true) return false;
    const isPosition = event === resumed || event === resumeFailed;
    if (!isPosition && data.seq <= (this.#positions.get(id) ?? -1)) return false;
    // The one that was heard of last is the last to be forgotten.
    this.#positions.delete(id);
    this.#positions.set(id, data.seq);
    const [oldest] = this.#positions.keys();
    if (this.#positions.size > this.#rules.maxPositions && oldest !== undefined) this.#positions.delete(oldest);
    return true;
  }

  #learn(id: string, seq: unknown): void {
    const isKnown = this.#positions.has(id) || this.#positions.size >= this.#rules.maxPositions;
    if (!isKnown) this.#positions.set(id, Number(seq));
  }

  /** What was too large is not sent again. */
  protected override excuses({ code }: CloseReason): boolean {
    return code === TOO_LARGE && this.#requests.giveUpLargest();
  }

  protected override lost(): void {
    this.#requests.shut();
  }

  protected override ended({ reason }: CloseReason): void {
    this.#requests.close(reason);
  }
}

function isObject(data: unknown): data is Data {
  return typeof data === "object" && data !== null;
}

/**
 * Speaks live chat (`/chat`) or rooms (`/rooms`).
 *
 * @throws TypeError when there is no WebSocket or no `url` to be had
 */
export function connectEvents<Path extends EventPath>(path: Path, options: EventsOptions): Events<Path> {
  return new Events(path, options);
}
