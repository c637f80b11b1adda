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
  readonly #frames = new Map<string, Buffer | null>();

  constructor(event: Event) {
    this.event = event;
  }

  /**
   * `key` names the encoding: the dialect, and whatever its frame depends on besides the event. Null where the dialect has
   * no frame for the event.
   */
  frame(key: string, encode: () => object | null): Buffer | null {
    const known = this.#frames.get(key);
    if (known !== undefined) return known;
    const encoded = encode();
    const frame = encoded === null ? null : encodeTextFrame(JSON.stringify(encoded));
    if (frame !== null) encodings.made += 1;
    this.#frames.set(key, frame);
    return frame;
  }
}
