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
  readonly #frames = new Map<string, Buffer>();

  constructor(event: Event) {
    this.event = event;
  }

  /** `key` names the encoding: the dialect, and whatever its frame depends on besides the event. */
  frame(key: string, encode: () => unknown): Buffer {
    const known = this.#frames.get(key);
    if (known !== undefined) return known;
    encodings.made += 1;
    const frame = encodeTextFrame(JSON.stringify(encode()));
    this.#frames.set(key, frame);
    return frame;
  }
}
