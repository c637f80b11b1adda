import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { type CloseName, closeCodes } from "../protocol/close-codes.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import { type ConnectionState, closed, isFlooded, maySend, open, opening } from "./connection-state.ts";
import { encodeCloseReason } from "./frame.ts";
import type { ConnectionHandler } from "./handler.ts";
import { InTurn } from "./in-turn.ts";
import { binaryFrame, Inbox, type ReceivedFrame } from "./inbox.ts";
import { listenFor, type SocketOwner } from "./listeners.ts";
import type { Batch, Debtor } from "./outbox.ts";
import { RecentCount } from "./recent-count.ts";
import { Rest } from "./rest.ts";
import type { Transport } from "./transport.ts";

/** How long a peer may take to answer our close frame before it is cut, in milliseconds. */
export const CLOSE_DEADLINE = 2_000;
/** So many bad frames within so many milliseconds close the socket. */
const BAD_FRAMES = 20;
const BAD_FRAMES_WINDOW = 10_000;
/** Pings that may go unanswered. */
const UNANSWERED_PINGS = 2;

/**
 * One socket: its states, what it received in order, what is due on it within a bound.
 *
 * Data frames bypass ws and are written to the socket as they were encoded; ws reads, writes pongs, and does the closing
 * handshake. The two may write in turns as long as each writes whole frames at once, which ws does (8.23, `lib/sender.js`:
 * `sendFrame` corks around its two writes) while its sender never queues: with `perMessageDeflate` off, and no one sending
 * a Blob or a fragment (`fin: false`) through it. After a close frame nothing may follow: `flush` looks at `readyState`.
 * There may be tens of thousands of idle ones, so an idle one holds no array, timer, or closure.
 */
export class Connection implements Debtor, SocketOwner {
  /** 1, 2, 3, … in the order of arrival. */
  readonly id: number;
  readonly expiresAt: number | null;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #transport: Transport;
  readonly #handler: ConnectionHandler;
  readonly #logFields: object;
  #state: ConnectionState = opening;
  /** Sent in this turn of the event loop, not yet written. */
  #due: Batch | null = null;
  /** Received, not yet handed over. Null when open: the consumer is free, and the next frame goes straight to it. */
  #waiting: Inbox | null = null;
  #rest: Rest | null = null;
  #badFrames: RecentCount | null = null;
  #inTurn: InTurn | null = null;
  #unansweredPings = 0;
  #bytesReadAtPing = 0;

  /** Call it in the upgrade handler, before anything is awaited: what arrives is heard from here on. */
  constructor(options: ConnectionOptions) {
    this.id = options.transport.connections.nextId();
    this.expiresAt = options.expiresAt;
    this.#webSocket = options.webSocket;
    this.#socket = options.socket;
    this.#transport = options.transport;
    this.#handler = options.handler;
    this.#logFields = options.logFields;
    listenFor(this, options.webSocket);
    options.transport.connections.add(this);
  }

  get state(): ConnectionState["name"] {
    return this.#state.name;
  }

  /** The consumer is ready: hands it the frames that waited, then the others as they come. */
  opened(): void {
    if (this.#state.name !== "opening") return;
    this.#state = open;
    this.#handWaiting();
  }

  /**
   * Sends one frame, made by `encodeTextFrame`, at the end of the turn; does nothing once the connection closes. Where it
   * would leave more than `maxBufferedBytes` unsent although the kernel was offered all of it, the socket is closed: 4408;
   * but who has taken everything is sent a frame of any size.
   */
  send(frame: Buffer): void {
    if (!maySend(this.#state)) return;
    const { outbox, limits } = this.#transport;
    const unsent = Math.max(0, this.#socket.writableLength - (this.#inTurn?.excused ?? 0));
    const due = (this.#due ?? outbox.empty).append(frame);
    if ((this.#due === null && unsent === 0) || due.byteLength + unsent <= limits.maxBufferedBytes) {
      if (this.#due === null) outbox.schedule(this);
      this.#due = due;
    } else if (this.#due !== null) {
      this.flush();
      this.send(frame);
    } else this.#closeSlow();
  }

  /** Writes what is due now. Called by the outbox at the end of the turn. */
  flush(): void {
    const due = this.#due;
    if (due === null) return;
    this.#due = null;
    // The peer's close frame was answered by ws: it reads no more.
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    const { counters } = this.#transport;
    counters.framesSent += due.frameCount;
    counters.bytesSent += due.byteLength;
    counters.socketWrites += 1;
    this.#socket.write(due.bytes());
  }

  /** Sends one frame of much; resolves when there is room for the next. False: the connection closes. */
  async sendInTurn(frame: Buffer): Promise<boolean> {
    this.#inTurn ??= new InTurn(this, this.#socket, this.#transport.limits.maxBufferedBytes);
    if ((await this.#inTurn.send(frame)) === "not taken") this.#closeSlow();
    return maySend(this.#state);
  }

  get unsent(): number {
    return (this.#due?.byteLength ?? 0) + this.#socket.writableLength;
  }

  /** Starts the closing handshake, if it was not, behind what was sent so far; the peer is cut at `CLOSE_DEADLINE`. */
  close(name: CloseName, reason: string = closeCodes[name].reason): void {
    if (!maySend(this.#state)) return;
    this.flush();
    this.#startClosing();
    this.#webSocket.close(closeCodes[name].code, encodeCloseReason(reason));
  }

  /** Takes no more frames. Resolves when those that came are done with: acknowledgements may still be on their way. */
  async stopReceiving(): Promise<void> {
    if (this.#state.name !== "opening" && this.#state.name !== "open") return;
    const isHandling = this.#state.name === "open" && this.#waiting !== null;
    await new Promise<void>((resolve) => {
      this.#state = { name: "leaving", finished: resolve };
      if (!isHandling) resolve();
    });
  }

  /** The consumer could make nothing of a frame. Closes with 1008 at the 20th within 10 s. */
  reportBadFrame(): void {
    this.#badFrames ??= new RecentCount(BAD_FRAMES_WINDOW);
    if (this.#badFrames.add(this.#transport.now()) >= BAD_FRAMES) this.close("policyViolation");
  }

  /**
   * Pings the peer, or cuts it if it has been silent through two pings. Any byte counts as an answer, not only a pong: a
   * peer in the midst of a long frame cannot answer before its end. While we do not read, silence is ours.
   */
  ping(): void {
    const { bytesRead } = this.#socket;
    if (bytesRead !== this.#bytesReadAtPing || this.#webSocket.isPaused) this.#unansweredPings = 0;
    if (this.#unansweredPings >= UNANSWERED_PINGS) {
      this.#transport.counters.silentPeers += 1;
      this.#transport.log.debug(this.#describe(), "two pings unanswered, socket cut");
      this.#webSocket.terminate();
      return;
    }
    this.#bytesReadAtPing = bytesRead;
    this.#unansweredPings += 1;
    this.#webSocket.ping();
  }

  /** By the listeners alone, as are the three below. */
  received(text: string | null): void {
    this.#transport.counters.framesReceived += 1;
    const frame = text ?? binaryFrame;
    switch (this.#state.name) {
      case "open":
        if (this.#waiting === null) this.#hand(frame);
        else this.#wait(frame);
        return;
      case "opening":
        this.#wait(frame);
        return;
      case "closing":
        if (isFlooded(this.#state)) this.#webSocket.terminate();
        return;
      case "leaving":
      case "closed":
        return;
    }
  }

  #wait(frame: ReceivedFrame): void {
    this.#waiting ??= new Inbox(this.#transport.limits);
    this.#waiting.push(frame);
    if (this.#waiting.isFull) this.#webSocket.pause();
  }

  /** Answered at once, not in its turn behind the frames that wait. `ping`: its payload; null: it was a pong. */
  receivedControl(ping: Buffer | null): void {
    this.#transport.counters.framesReceived += 1;
    if (this.#state.name === "closing" && isFlooded(this.#state)) this.#webSocket.terminate();
    if (!maySend(this.#state)) return;
    if (ping !== null) this.#pong(ping);
    const wait = this.#handler.receiveControl();
    if (wait === 0) return;
    this.#rest?.extend(wait);
    this.#rest ??= new Rest(wait, () => this.#rested());
    this.#webSocket.pause();
  }

  /** While it rests the last ping is kept; the copy lets go of the read that it came in. */
  #pong(ping: Buffer): void {
    if (this.#rest !== null) this.#rest.owedPong = Buffer.from(ping);
    else if (this.#socket.writableLength > this.#transport.limits.maxBufferedBytes) this.#closeSlow();
    else if (this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.pong(ping);
  }

  #rested(): void {
    const owed = this.#rest?.owedPong ?? null;
    this.#rest = null;
    if (owed !== null && maySend(this.#state)) this.#pong(owed);
    this.#readOn();
  }

  #readOn(): void {
    if (this.#webSocket.isPaused && this.#rest === null && !this.#waiting?.isFull) this.#webSocket.resume();
  }

  /** Until one of them takes its time, or the connection closes, which forgets them. */
  #handWaiting(): void {
    while (this.#waiting !== null) {
      const frame = this.#waiting.shift();
      if (frame === undefined) this.#waiting = null;
      else if (this.#hand(frame) === "handling") return;
    }
    this.#readOn();
    if (this.#state.name === "leaving") this.#state.finished();
  }

  #hand(frame: ReceivedFrame): "handled" | "handling" {
    try {
      const handled = frame === binaryFrame ? this.#handler.receiveBinary() : this.#handler.receive(frame);
      if (!(handled instanceof Promise)) return "handled";
      this.#waiting ??= new Inbox(this.#transport.limits);
      handled.then(
        () => this.#handWaiting(),
        (error: unknown) => this.#handlerFailed(error),
      );
      return "handling";
    } catch (error) {
      this.#handlerFailed(error);
      return "handled";
    }
  }

  #handlerFailed(error: unknown): void {
    this.#transport.log.error({ ...this.#describe(), err: error }, "the consumer of a socket failed");
    this.close("internal");
  }

  #closeSlow(): void {
    this.#due = null;
    this.#transport.counters.slowReaders += 1;
    this.#transport.log.info({ ...this.#describe(), unsentBytes: this.#socket.writableLength }, "slow reader closed");
    this.close("tooSlow");
  }

  /** Bad UTF-8, a frame too large, reserved bits: ws has sent the close frame that fits, and hears no more of the peer. */
  failed(error: Error): void {
    this.#transport.log.debug({ ...this.#describe(), err: error }, "socket failed");
    if (maySend(this.#state)) this.#startClosing();
  }

  #startClosing(): void {
    if (this.#state.name === "leaving") this.#state.finished();
    this.#letGo();
    const deadline = setTimeout(() => this.#webSocket.terminate(), CLOSE_DEADLINE).unref();
    this.#state = { name: "closing", deadline, ignored: 0 };
    // The peer's close frame is yet to be read.
    this.#readOn();
  }

  #letGo(): void {
    this.#due = null;
    this.#waiting = null;
    this.#rest?.cancel();
    this.#rest = null;
  }

  ended(code: number, reason: string): void {
    if (this.#state.name === "closing") clearTimeout(this.#state.deadline);
    if (this.#state.name === "leaving") this.#state.finished();
    this.#state = closed;
    this.#letGo();
    this.#transport.connections.delete(this);
    this.#tellClosed(code, reason).catch((error: unknown) => this.#handlerFailed(error));
  }

  /** Async for the sake of a throw: it becomes a rejection like any other. */
  async #tellClosed(code: number, reason: string): Promise<void> {
    await this.#handler.closed(code, reason);
  }

  #describe(): object {
    return { ...this.#logFields, connection: this.id };
  }
}
