/**
 * A server's side of a WebSocket connection, taken apart as it comes in. Source: RFC 6455, 5.2 (base framing) and 5.4
 * (fragmentation). Payloads are shown where they lie: nothing is copied but frames that straddle two chunks.
 */

export interface FrameListener {
  /**
   * A text message, whole. `bytes` from `start` to `end` is its payload, and belongs to the reader: it is overwritten after
   * the call.
   */
  text(bytes: Buffer, start: number, end: number): void;
  /** `payload` belongs to the reader. */
  ping(payload: Buffer): void;
  /** `code` is 1005 where the server gave none (RFC 6455, 7.4.1). */
  closing(code: number, reason: string): void;
}

const FIN = 0x80;
const RESERVED = 0x70;
const OPCODE = 0x0f;
const MASKED = 0x80;
const LENGTH = 0x7f;
/** In place of a length up to 125: the length is in the next 2, or the next 8, bytes. */
const LENGTH_IN_16_BITS = 126;
const LENGTH_IN_64_BITS = 127;

const CONTINUATION = 0x0;
const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;

const NO_CLOSE_CODE = 1005;
/** Bytes; far beyond what any server here sends, so that a broken length is not waited for. */
const MAX_PAYLOAD = 64 * 1024 * 1024;

const NOTHING = Buffer.alloc(0);

export class FrameReader {
  readonly #listener: FrameListener;
  /** The beginning of a frame whose end has not come, in the first `#held` bytes. */
  #partial = NOTHING;
  #held = 0;
  /** Of a message in several frames, the payloads so far; null between messages. */
  #fragments: Buffer[] | null = null;

  constructor(listener: FrameListener) {
    this.#listener = listener;
  }

  /** `end`: the chunk is `bytes` up to there. @throws Error: what came is not what a server may send. */
  read(bytes: Buffer, end: number): void {
    let offset = this.#held === 0 ? 0 : this.#completePartial(bytes, end);
    for (;;) {
      const headerLength = headerLengthAt(bytes, offset, end);
      if (headerLength === 0) break;
      const payload = offset + headerLength;
      const next = payload + payloadLengthAt(bytes, offset);
      if (next > end) break;
      this.#frame(bytes, offset, payload, next);
      offset = next;
    }
    if (offset < end) this.#hold(bytes, offset, end);
  }

  /** Adds what is missing of the held frame, and shows it when it is whole. Returns where the rest of the chunk begins. */
  #completePartial(bytes: Buffer, end: number): number {
    let offset = 0;
    for (;;) {
      const headerLength = headerLengthAt(this.#partial, 0, this.#held);
      const length =
        headerLength === 0
          ? headerBytesWanted(this.#partial, this.#held)
          : headerLength + payloadLengthAt(this.#partial, 0);
      const added = Math.min(length - this.#held, end - offset);
      this.#hold(bytes, offset, offset + added, length);
      offset += added;
      if (this.#held < length) return end;
      if (headerLength === 0) continue;
      this.#held = 0;
      this.#frame(this.#partial, 0, headerLength, length);
      return offset;
    }
  }

  #hold(bytes: Buffer, start: number, end: number, expected = end - start): void {
    const held = this.#held + end - start;
    if (this.#partial.length < held) {
      const larger = Buffer.allocUnsafeSlow(Math.max(expected, held, 512));
      this.#partial.copy(larger, 0, 0, this.#held);
      this.#partial = larger;
    }
    bytes.copy(this.#partial, this.#held, start, end);
    this.#held = held;
  }

  #frame(bytes: Buffer, header: number, start: number, end: number): void {
    const first = bytes[header] ?? 0;
    if ((first & RESERVED) !== 0) throw new Error("a frame has reserved bits set");
    const isFinal = (first & FIN) !== 0;
    switch (first & OPCODE) {
      case TEXT:
        if (this.#fragments !== null) throw new Error("a message began within another");
        if (isFinal) this.#listener.text(bytes, start, end);
        else this.#fragments = [Buffer.from(bytes.subarray(start, end))];
        return;
      case CONTINUATION:
        this.#continue(bytes.subarray(start, end), isFinal);
        return;
      case PING:
        this.#listener.ping(bytes.subarray(start, end));
        return;
      case PONG:
        return;
      case CLOSE:
        if (end - start < 2) this.#listener.closing(NO_CLOSE_CODE, "");
        else this.#listener.closing(bytes.readUInt16BE(start), bytes.toString("utf8", start + 2, end));
        return;
      case BINARY:
        throw new Error("a binary frame came");
      default:
        throw new Error(`a frame has the unknown opcode ${first & OPCODE}`);
    }
  }

  #continue(payload: Buffer, isFinal: boolean): void {
    if (this.#fragments === null) throw new Error("a continuation frame came outside a message");
    this.#fragments.push(Buffer.from(payload));
    if (!isFinal) return;
    const message = Buffer.concat(this.#fragments);
    this.#fragments = null;
    this.#listener.text(message, 0, message.length);
  }
}

/** 0 when the header has not come whole. */
function headerLengthAt(bytes: Buffer, offset: number, end: number): number {
  const available = end - offset;
  if (available < 2) return 0;
  const length = headerBytesWanted(bytes, available, offset);
  return length > available ? 0 : length;
}

function headerBytesWanted(bytes: Buffer, available: number, offset = 0): number {
  if (available < 2) return 2;
  const second = bytes[offset + 1] ?? 0;
  if ((second & MASKED) !== 0) throw new Error("a server's frame is masked");
  if (second === LENGTH_IN_16_BITS) return 4;
  return second === LENGTH_IN_64_BITS ? 10 : 2;
}

/** Of a header that is there whole. */
function payloadLengthAt(bytes: Buffer, offset: number): number {
  const short = (bytes[offset + 1] ?? 0) & LENGTH;
  if (short < LENGTH_IN_16_BITS) return short;
  if (short === LENGTH_IN_16_BITS) return bytes.readUInt16BE(offset + 2);
  const long = bytes.readUInt32BE(offset + 2) * 2 ** 32 + bytes.readUInt32BE(offset + 6);
  if (long > MAX_PAYLOAD) throw new Error(`a frame says it has ${long} bytes`);
  return long;
}
