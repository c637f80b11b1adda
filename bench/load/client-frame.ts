/** Frames as a client sends them: masked. Source: RFC 6455, 5.3. */
import { randomBytes } from "node:crypto";

const FIN = 0x80;
const MASKED = 0x80;
const LENGTH_IN_16_BITS = 126;
const MASK_LENGTH = 4;

export const OPCODE = { text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const;

/** `payload` of at most 65,535 bytes. */
export function encodeClientFrame(opcode: number, payload: Buffer): Buffer {
  const lengthBytes = payload.length < LENGTH_IN_16_BITS ? 0 : 2;
  const start = 2 + lengthBytes + MASK_LENGTH;
  const frame = Buffer.allocUnsafe(start + payload.length);
  frame[0] = FIN | opcode;
  if (lengthBytes === 0) {
    frame[1] = MASKED | payload.length;
  } else {
    frame[1] = MASKED | LENGTH_IN_16_BITS;
    frame.writeUInt16BE(payload.length, 2);
  }
  const mask = nonZeroMask();
  mask.copy(frame, start - MASK_LENGTH);
  for (let index = 0; index < payload.length; index += 1) {
    frame[start + index] = (payload[index] ?? 0) ^ (mask[index % MASK_LENGTH] ?? 0);
  }
  return frame;
}

/** Servers skip the unmasking where the mask is zero; a browser's never is. */
function nonZeroMask(): Buffer {
  const mask = randomBytes(MASK_LENGTH);
  mask[0] = (mask[0] ?? 0) | 1;
  return mask;
}

/** A text frame that differs from one sending to the next in the digits of one number alone. */
export class NumberedFrame {
  readonly #frame: Buffer;
  /** Of the last digit. */
  readonly #position: number;
  readonly #digits: number;
  readonly #mask: Buffer;

  /** `text` has `placeholder` once, in the place of the number, which is padded with zeros to its length. ASCII. */
  constructor(text: string, placeholder: string) {
    const payload = Buffer.from(text, "latin1");
    this.#frame = encodeClientFrame(OPCODE.text, payload);
    const start = this.#frame.length - payload.length;
    const last = payload.indexOf(placeholder) + placeholder.length - 1;
    this.#position = start + last;
    this.#digits = placeholder.length;
    // So that the mask's byte for a digit is found by its place, counted back from the last one.
    this.#mask = Buffer.alloc(MASK_LENGTH);
    for (let back = 0; back < MASK_LENGTH; back += 1) {
      this.#mask[back] =
        this.#frame[start - MASK_LENGTH + ((last - back + placeholder.length * MASK_LENGTH) % MASK_LENGTH)] ?? 0;
    }
  }

  /** A frame of its own: the socket may hold it for as long as it likes. */
  numbered(number: number): Buffer {
    const frame = Buffer.from(this.#frame);
    let rest = number;
    for (let back = 0; back < this.#digits; back += 1) {
      const digit = rest % 10;
      frame[this.#position - back] = (0x30 + digit) ^ (this.#mask[back % MASK_LENGTH] ?? 0);
      rest = (rest - digit) / 10;
    }
    return frame;
  }
}
