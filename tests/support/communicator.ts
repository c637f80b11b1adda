import { WebSocket } from "ws";
import type { z } from "zod";

/** Long enough for a loaded machine; it ends a test that would hang, it measures nothing. In ms. */
const PATIENCE = 10_000;

// biome-ignore lint/suspicious/noExplicitAny: a test looks at frames as a client in plain JavaScript does
export type Frame = any;

export interface Closure {
  readonly code: number;
  readonly reason: string;
}

/**
 * A client as a test drives it: connect, send, receive, receive nothing. Frames are kept until they are asked for, in the
 * order of their arrival. Shaped after the communicator of Django Channels.
 */
export class Communicator {
  readonly socket: WebSocket;
  readonly closed: Promise<Closure>;
  readonly #frames: Frame[] = [];
  readonly #waiting: ((frame: Frame) => void)[] = [];
  #schema: z.ZodType | null = null;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data) => {
      const frame: Frame = JSON.parse(data.toString());
      const receiver = this.#waiting.shift();
      if (receiver === undefined) this.#frames.push(frame);
      else receiver(frame);
    });
    this.closed = new Promise((resolve) =>
      socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() })),
    );
  }

  /** Resolves when the server has accepted the socket; rejects with the answer's status and body when it has not. */
  static connect(url: string, token: string | null, headers: Record<string, string> = {}): Promise<Communicator> {
    const socket = new WebSocket(url, {
      headers: { ...(token !== null && { authorization: `Bearer ${token}` }), ...headers },
    });
    const communicator = new Communicator(socket);
    return new Promise((resolve, reject) => {
      socket.once("open", () => resolve(communicator));
      socket.once("error", reject);
      socket.once("unexpected-response", (_request, response) => {
        let body = "";
        response.on("data", (chunk) => {
          body += chunk;
        });
        response.on("end", () => {
          socket.terminate();
          reject(new HandshakeRefused(response.statusCode ?? 0, JSON.parse(body)));
        });
      });
    });
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** From now on every frame that is received must be one of these. */
  expectFrames(schema: z.ZodType): this {
    this.#schema = schema;
    return this;
  }

  /** The next frame. Rejects when none comes, the socket closes first, or it is not as `expectFrames` says. */
  async receive(): Promise<Frame> {
    const frame = await this.#next();
    const problems = this.#schema?.safeParse(frame).error?.issues;
    if (problems !== undefined) throw new Error(`not as declared: ${JSON.stringify({ frame, problems })}`);
    return frame;
  }

  #next(): Promise<Frame> {
    if (this.#frames.length > 0) return Promise.resolve(this.#frames.shift());
    return new Promise((resolve, reject) => {
      const stop = (reason: string) => {
        clearTimeout(timer);
        const index = this.#waiting.indexOf(receiver);
        if (index !== -1) this.#waiting.splice(index, 1);
        reject(new Error(reason));
      };
      const timer = setTimeout(() => stop("no frame came"), PATIENCE);
      const receiver = (frame: Frame) => {
        clearTimeout(timer);
        resolve(frame);
      };
      this.#waiting.push(receiver);
      this.closed.then(({ code }) => stop(`the socket was closed with ${code} before a frame came`));
    });
  }

  async receiveMany(count: number): Promise<Frame[]> {
    const frames: Frame[] = [];
    while (frames.length < count) frames.push(await this.receive());
    return frames;
  }

  /** The next frame of that type, passing over others; where their order is not what is tested. */
  async receiveType(type: string): Promise<Frame> {
    for (;;) {
      const frame = await this.receive();
      if (frame.type === type) return frame;
    }
  }

  /**
   * Everything that the server had for this socket until now has been received. Not a wait: a frame that it must refuse is
   * sent, and its refusal is the next thing that comes.
   */
  async receiveNothing(): Promise<void> {
    this.send({ type: "fence" });
    const frame = await this.receive();
    if (frame.type === "error" && frame.event === "fence") return;
    throw new Error(`expected nothing, received ${JSON.stringify(frame)}`);
  }

  async close(): Promise<Closure> {
    this.socket.close(1000);
    return this.closed;
  }
}

export class HandshakeRefused extends Error {
  readonly status: number;
  readonly body: Frame;

  constructor(status: number, body: Frame) {
    super(`the handshake was refused with ${status}: ${JSON.stringify(body)}`);
    this.status = status;
    this.body = body;
  }
}
