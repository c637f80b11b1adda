/** One WebSocket of a client, over a plain TCP socket. */
import { connect, type Socket } from "node:net";
import { encodeClientFrame, OPCODE } from "./client-frame.ts";
import type { Opening } from "./dialect.ts";
import { type FrameListener, FrameReader } from "./frame-reader.ts";
import { Upgrade } from "./upgrade.ts";

/** Who hears what comes on an open connection. */
export interface Audience {
  /** Before anything else. */
  opened(connection: Connection): void;
  /** As `FrameListener.text`. */
  text(bytes: Buffer, start: number, end: number): void;
  /** It was closed, and not by us. */
  lost(reason: string): void;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  /** The address that is connected from; undefined leaves it to the system. */
  readonly localAddress: string | undefined;
}

/** Milliseconds from connecting until a socket is open. */
const OPENING_DEADLINE = 30_000;
/** Milliseconds that the server has to answer our close frame. */
const CLOSING_DEADLINE = 2000;

const CLOSE_NORMALLY = Buffer.from([0x03, 0xe8]);

/**
 * Bytes. All sockets read into one buffer, each chunk being dealt with before the next is read: Node would else allocate
 * 64 KiB for each read, of which a single frame uses 300 bytes.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(128 * 1024);

type State = "upgrading" | "opening" | "open" | "closing" | "closed";

export class Connection implements FrameListener {
  readonly #socket: Socket;
  readonly #upgrade: Upgrade;
  readonly #opening: Opening;
  readonly #audience: Audience;
  readonly #reader = new FrameReader(this);
  readonly #closed: Promise<void>;
  #state: State = "upgrading";
  #opened: () => void = () => {};
  #failed: (error: Error) => void = () => {};
  /** What the server's close frame, or a fault, said. */
  #reason = "the connection was cut";

  private constructor(target: Target, opening: Opening, audience: Audience) {
    const { host, port, localAddress } = target;
    this.#opening = opening;
    this.#audience = audience;
    this.#upgrade = new Upgrade(`${host}:${port}`, opening.path, opening.headers);
    this.#socket = connect({
      host,
      port,
      localAddress,
      noDelay: true,
      onread: { buffer: READ_BUFFER, callback: (length) => this.#read(length) },
    });
    this.#socket.once("connect", () => this.#socket.write(this.#upgrade.request));
    this.#socket.on("error", (error) => {
      this.#reason = error.message;
    });
    this.#closed = new Promise((resolve) => {
      this.#socket.once("close", () => {
        this.#ended();
        resolve();
      });
    });
  }

  /** Resolves when the opening says so; from that frame on, it included, `audience` hears. */
  static async open(target: Target, opening: Opening, audience: Audience): Promise<void> {
    const connection = new Connection(target, opening, audience);
    const opened = new Promise<void>((resolve, reject) => {
      connection.#opened = resolve;
      connection.#failed = reject;
    });
    const timer = setTimeout(() => {
      connection.#fail(new Error(`nothing that opens the socket came within ${OPENING_DEADLINE} ms`));
    }, OPENING_DEADLINE);
    try {
      await opened;
    } catch (cause) {
      throw new Error(`${opening.path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** `frame`: a whole client frame, which is the connection's from now on. */
  write(frame: Buffer): void {
    if (this.#state !== "closed") this.#socket.write(frame);
  }

  sendText(text: string): void {
    this.write(encodeClientFrame(OPCODE.text, Buffer.from(text)));
  }

  /** Resolves when the connection has ended. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closing";
    this.#socket.end(encodeClientFrame(OPCODE.close, CLOSE_NORMALLY));
    const timer = setTimeout(() => this.#socket.destroy(), CLOSING_DEADLINE);
    await this.#closed;
    clearTimeout(timer);
  }

  /** Ends it at once and without a close frame, as a line that breaks does. */
  cut(): void {
    if (this.#state === "closed") return;
    this.#state = "closing";
    this.#socket.destroy();
  }

  text(bytes: Buffer, start: number, end: number): void {
    switch (this.#state) {
      case "open":
        this.#audience.text(bytes, start, end);
        return;
      case "opening":
        this.#openFurther(bytes, start, end);
        return;
      default:
      // What was on its way when we closed.
    }
  }

  ping(payload: Buffer): void {
    this.write(encodeClientFrame(OPCODE.pong, payload));
  }

  closing(code: number, reason: string): void {
    this.#reason = `closed with ${code} ${reason}`.trim();
    this.#socket.end(encodeClientFrame(OPCODE.close, CLOSE_NORMALLY));
  }

  #read(length: number): boolean {
    try {
      if (this.#state === "upgrading") this.#readUpgrade(Buffer.from(READ_BUFFER.subarray(0, length)));
      else this.#reader.read(READ_BUFFER, length);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  #readUpgrade(bytes: Buffer): void {
    const rest = this.#upgrade.read(bytes);
    if (rest === null) return;
    this.#state = "opening";
    this.#reader.read(rest, rest.length);
  }

  #openFurther(bytes: Buffer, start: number, end: number): void {
    const step = this.#opening.next(bytes.toString("utf8", start, end));
    switch (step.step) {
      case "wait":
        return;
      case "send":
        this.sendText(step.text);
        return;
      case "open":
        this.#state = "open";
        this.#opened();
        this.#audience.opened(this);
        this.#audience.text(bytes, start, end);
    }
  }

  #fail(error: Error): void {
    this.#reason = error.message;
    this.#failed(error);
    this.#socket.destroy();
  }

  #ended(): void {
    const state = this.#state;
    this.#state = "closed";
    if (state === "open") this.#audience.lost(this.#reason);
    if (state === "upgrading" || state === "opening") this.#failed(new Error(this.#reason));
  }
}
