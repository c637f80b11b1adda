import fc from "fast-check";
import { expect, test } from "vitest";
import { type FrameListener, FrameReader } from "../../../bench/load/frame-reader.ts";
import { encodeTextFrame } from "../../../server/transport/frame.ts";

/** What a listener heard, in order. */
class Record implements FrameListener {
  readonly heard: string[] = [];

  text(bytes: Buffer, start: number, end: number): void {
    this.heard.push(`text ${bytes.toString("utf8", start, end)}`);
  }

  ping(payload: Buffer): void {
    this.heard.push(`ping ${payload.toString()}`);
  }

  closing(code: number, reason: string): void {
    this.heard.push(`closing ${code} ${reason}`);
  }
}

/** Reads the chunks through one buffer, as the connections do: what was read is overwritten by the next. */
function read(chunks: readonly Buffer[]): string[] {
  const record = new Record();
  const reader = new FrameReader(record);
  const shared = Buffer.alloc(Math.max(...chunks.map((chunk) => chunk.length)), 0xee);
  for (const chunk of chunks) {
    chunk.copy(shared);
    reader.read(shared, chunk.length);
    shared.fill(0xee);
  }
  return record.heard;
}

function frame(first: number, payload: string): Buffer {
  const encoded = encodeTextFrame(payload);
  encoded[0] = first;
  return encoded;
}

const TEXT = 0x81;
const TEXT_BEGUN = 0x01;
const CONTINUED = 0x00;
const CONTINUED_LAST = 0x80;
const CLOSE = 0x88;
const PING = 0x89;
const PONG = 0x8a;

/** All three forms of a length, at their limits. */
const LENGTHS = [0, 1, 125, 126, 127, 0xffff, 0x10000];

const conversation = [
  frame(TEXT, ""),
  frame(TEXT, "one"),
  frame(TEXT, "x".repeat(125)),
  frame(TEXT, "y".repeat(126)),
  frame(TEXT_BEGUN, "frag"),
  frame(PING, "between"),
  frame(CONTINUED, "men"),
  frame(PONG, "passed over"),
  frame(PING, ""),
  frame(CONTINUED_LAST, "ted"),
  frame(TEXT, "z".repeat(300)),
  frame(CLOSE, ""),
];
const heard = [
  "text ",
  "text one",
  `text ${"x".repeat(125)}`,
  `text ${"y".repeat(126)}`,
  "ping between",
  "ping ",
  "text fragmented",
  `text ${"z".repeat(300)}`,
  "closing 1005 ",
];

test("all frames of one chunk are read", () => {
  expect(read([Buffer.concat(conversation)])).toEqual(heard);
});

test("wherever a chunk ends, the same frames are read", () => {
  const bytes = Buffer.concat(conversation);
  for (let split = 1; split < bytes.length; split += 1) {
    expect(read([bytes.subarray(0, split), bytes.subarray(split)]), `split at ${split}`).toEqual(heard);
  }
});

test("byte by byte, the same frames are read", () => {
  expect(read(Array.from(Buffer.concat(conversation), (byte) => Buffer.from([byte])))).toEqual(heard);
});

test("any frames are read in any chunks", () => {
  const payloads = fc.array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.constantFrom(...LENGTHS).map((length) => "a".repeat(length)),
    ),
    { minLength: 1, maxLength: 8 },
  );
  const cuts = fc.array(fc.nat(200_000), { maxLength: 12 });
  fc.assert(
    fc.property(payloads, cuts, (texts, places) => {
      const bytes = Buffer.concat(texts.map(encodeTextFrame));
      const ends = [...new Set([...places.map((place) => place % bytes.length), bytes.length])].sort((a, b) => a - b);
      const chunks = ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
      expect(read(chunks.filter(({ length }) => length > 0))).toEqual(
        texts.map((text) => `text ${Buffer.from(text).toString()}`),
      );
    }),
  );
});

test("a close frame says its code and reason", () => {
  const payload = Buffer.concat([Buffer.from([0x11, 0x38]), Buffer.from("too slow")]);
  expect(read([Buffer.concat([Buffer.from([CLOSE, payload.length]), payload])])).toEqual(["closing 4408 too slow"]);
});

test.each([
  ["masked", Buffer.from([TEXT, 0x80, 0, 0, 0, 0])],
  ["reserved bits", frame(TEXT | 0x40, "compressed")],
  ["binary", frame(0x82, "bytes")],
  ["unknown opcode", frame(0x83, "")],
  ["outside a message", frame(CONTINUED_LAST, "what")],
  ["within another", Buffer.concat([frame(TEXT_BEGUN, "a"), frame(TEXT, "b")])],
  ["says it has", Buffer.from([TEXT, 127, 0, 0, 1, 0, 0, 0, 0, 0])],
])("what a server may not send is refused: %s", (what, bytes) => {
  expect(() => read([bytes])).toThrow(what);
});
