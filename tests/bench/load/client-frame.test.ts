import { expect, test } from "vitest";
import { encodeClientFrame, NumberedFrame, OPCODE } from "../../../bench/load/client-frame.ts";
import { clientIdOf, NUMBER_PLACEHOLDER } from "../../../bench/load/names.ts";

/** RFC 6455, 5.2 and 5.3, the server's side. */
function decode(frame: Buffer): { first: number | undefined; payload: string } {
  const second = frame[1] ?? 0;
  expect(second & 0x80, "is masked").toBe(0x80);
  const isLong = (second & 0x7f) === 126;
  const length = isLong ? frame.readUInt16BE(2) : second & 0x7f;
  const mask = isLong ? 4 : 2;
  const payload = frame.subarray(mask + 4).map((byte, index) => byte ^ (frame[mask + (index % 4)] ?? 0));
  expect(payload).toHaveLength(length);
  return { first: frame[0], payload: Buffer.from(payload).toString() };
}

test.each([0, 1, 125, 126, 65_535])("a frame of %d bytes is masked", (length) => {
  const text = "m".repeat(length);
  expect(decode(encodeClientFrame(OPCODE.text, Buffer.from(text)))).toEqual({ first: 0x81, payload: text });
});

test("a mask is never zero, which a server would not have to take off", () => {
  for (let round = 0; round < 2000; round += 1) {
    expect((encodeClientFrame(OPCODE.ping, Buffer.alloc(0))[2] ?? 0) & 1).toBe(1);
  }
});

test("a numbered frame says its number, wherever the mask's period puts it", () => {
  for (let shift = 0; shift < 8; shift += 1) {
    const text = (clientId: string) => JSON.stringify({ message: "x".repeat(100 + shift), client_id: clientId });
    const frame = new NumberedFrame(text(clientIdOf(42)), NUMBER_PLACEHOLDER);
    for (const number of [1, 9, 10, 12_345_678, 99_999_999]) {
      const clientId = `000042-${String(number).padStart(8, "0")}`;
      expect(decode(frame.numbered(number)).payload).toBe(text(clientId));
    }
  }
});

test("a numbered frame is not touched by the next", () => {
  const frame = new NumberedFrame(`{"n":"${NUMBER_PLACEHOLDER}"}`, NUMBER_PLACEHOLDER);
  const first = frame.numbered(1);
  frame.numbered(2);
  expect(decode(first).payload).toBe('{"n":"00000001"}');
});
