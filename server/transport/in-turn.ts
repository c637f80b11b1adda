import type { Socket } from "node:net";

/** How long a peer may take nothing of what is sent in turn, in milliseconds. */
export const TAKING_DEADLINE = 60_000;
/** Bytes of what is sent in turn that are written together. */
const WRITTEN_TOGETHER = 65_536;

interface Sender {
  send(frame: Buffer): void;
  flush(): void;
  /** Bytes that were sent and that the kernel has not taken. */
  readonly unsent: number;
}

/** Sends much on purpose, a replay say, as its peer takes it, so that one that reads is not too slow for any bound. */
export class InTurn {
  readonly #sender: Sender;
  readonly #socket: Socket;
  readonly #maxBufferedBytes: number;
  #excused = 0;

  constructor(sender: Sender, socket: Socket, maxBufferedBytes: number) {
    this.#sender = sender;
    this.#socket = socket;
    this.#maxBufferedBytes = maxBufferedBytes;
  }

  /** What this left unsent counts against no bound. */
  get excused(): number {
    return this.#excused;
  }

  /** Resolves when there is room for the next. "not taken": the peer took nothing for `TAKING_DEADLINE`. */
  async send(frame: Buffer): Promise<"taken" | "not taken"> {
    if (this.#sender.unsent + frame.length > this.#maxBufferedBytes) this.#excuse();
    this.#sender.send(frame);
    if (this.#sender.unsent < Math.min(WRITTEN_TOGETHER, this.#maxBufferedBytes / 2)) return "taken";
    this.#excuse();
    const outcome = await this.#taken();
    this.#excused = this.#socket.writableLength;
    return outcome;
  }

  #excuse(): void {
    this.#sender.flush();
    this.#excused = this.#socket.writableLength;
  }

  /** A socket that holds less than its own bound is as good as one that holds nothing; so is one that is gone. */
  async #taken(): Promise<"taken" | "not taken"> {
    const socket = this.#socket;
    if (!socket.writableNeedDrain) return "taken";
    return new Promise((resolve) => {
      const end = (how: "taken" | "not taken") => {
        clearTimeout(timer);
        socket.off("drain", done).off("close", done);
        resolve(how);
      };
      const done = () => end("taken");
      const timer = setTimeout(() => end("not taken"), TAKING_DEADLINE).unref();
      socket.on("drain", done).on("close", done);
    });
  }
}
