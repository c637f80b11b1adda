import type { ConversationEvent } from "../core/events.ts";
import { encodeTextFrame } from "./frame.ts";

/** Encodings made since the start; tests count them. */
export const encodings = { made: 0 };

/**
 * One event on its way to the sockets of this node. Each dialect encodes it once, however many sockets take it: the frame
 * is made by whoever asks first and shared from then on.
 */
export class Delivery<Event extends ConversationEvent = ConversationEvent> {
  readonly event: Event;
  /** Most events have one encoding, or are asked for the same one by a thousand sockets in a row. */
  #lastKey: string | null = null;
  #lastFrame: Buffer | null = null;
  /** All of them, from the second on. */
  #frames: Map<string, Buffer | null> | null = null;

  #byteLength: number | null = null;

  constructor(event: Event) {
    this.event = event;
  }

  /** What keeping it takes, more or less; it is shared by all who keep it. */
  get byteLength(): number {
    this.#byteLength ??= Buffer.byteLength(JSON.stringify(this.event));
    return this.#byteLength;
  }

  /**
   * `key` names the encoding: the dialect, and whatever its frame depends on besides the event; it is best made once for a
   * socket, because a string that was just put together is compared letter by letter. Null where the dialect has no frame
   * for the event.
   */
  frame(key: string, encode: () => object | null): Buffer | null {
    if (key === this.#lastKey) return this.#lastFrame;
    if (this.#lastKey !== null) this.#frames ??= new Map([[this.#lastKey, this.#lastFrame]]);
    const known = this.#frames?.get(key);
    const frame = known === undefined ? encodeOnce(encode) : known;
    this.#frames?.set(key, frame);
    this.#lastKey = key;
    this.#lastFrame = frame;
    return frame;
  }
}

function encodeOnce(encode: () => object | null): Buffer | null {
  const object = encode();
  if (object === null) return null;
  encodings.made += 1;
  return encodeTextFrame(JSON.stringify(object));
}
