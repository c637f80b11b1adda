import type { Room } from "../client/index.ts";

/** Milliseconds between two words of it, while it goes on. */
const REPEAT = 2_000;
/** Milliseconds without a key after which it is over. */
const IDLE = 4_000;

/** Tells the room that we are typing: at most every 2 seconds, and once that it is over. */
export class OwnTyping {
  readonly #connection: Room;
  #toldAt = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: Room) {
    this.#connection = connection;
  }

  typed(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.stopped(), IDLE);
    if (Date.now() - this.#toldAt < REPEAT) return;
    this.#toldAt = Date.now();
    this.#connection.typing(true);
  }

  stopped(): void {
    clearTimeout(this.#idle);
    if (this.#toldAt === 0) return;
    this.#toldAt = 0;
    this.#connection.typing(false);
  }
}
