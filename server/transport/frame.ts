/** What goes into WebSocket frames as bytes. Source: RFC 6455, 5.2 (base framing) and 5.5 (control frames). */

/** FIN, and the opcode of a text frame. */
const FIN_TEXT = 0x81;
/** In place of a length up to 125: the length is in the next 2, or the next 8, bytes. */
const LENGTH_IN_16_BITS = 126;
const LENGTH_IN_64_BITS = 127;

/** A control frame holds 125 bytes, and the close code takes two. */
const CLOSE_REASON_BYTES = 123;

const textEncoder = new TextEncoder();

/**
 * A server's text frame, header and payload in one Buffer. A server does not mask, so the same bytes serve every socket.
 * Unpaired surrogates, which UTF-8 cannot say, become U+FFFD.
 */
export function encodeTextFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headerLength = length < LENGTH_IN_16_BITS ? 2 : length <= 0xffff ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame[0] = FIN_TEXT;
  switch (headerLength) {
    case 2:
      frame[1] = length;
      break;
    case 4:
      frame[1] = LENGTH_IN_16_BITS;
      frame.writeUInt16BE(length, 2);
      break;
    case 10:
      frame[1] = LENGTH_IN_64_BITS;
      frame.writeBigUInt64BE(BigInt(length), 2);
      break;
  }
  frame.write(text, headerLength);
  return frame;
}

/** The reason of a close frame, cut to what fits. `encodeInto` stops before a character that does not fit whole. */
export function encodeCloseReason(reason: string): Buffer {
  const bytes = Buffer.alloc(CLOSE_REASON_BYTES);
  return bytes.subarray(0, textEncoder.encodeInto(reason, bytes).written);
}
