import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  clientIdOf,
  NUMBER_PLACEHOLDER,
  numberOf,
  readClientId,
  senderOf,
  userName,
} from "../../../bench/load/names.ts";
import { FieldScanner, wholeNumberAt } from "../../../bench/load/scan.ts";

/** A frame amid others' bytes, as in a chunk. */
function placed(text: string, before: string): { bytes: Buffer; start: number; end: number } {
  const bytes = Buffer.from(`${before}${text}"seq":99,"unread_count":99`);
  const start = Buffer.byteLength(before);
  return { bytes, start, end: start + Buffer.byteLength(text) };
}

function numberIn(scanner: FieldScanner, frame: object, before = ""): number {
  const { bytes, start, end } = placed(JSON.stringify(frame), before);
  return wholeNumberAt(bytes, scanner.find(bytes, start, end), end);
}

describe("a field", () => {
  test("is found wherever it stands, whatever was found before", () => {
    const scanner = new FieldScanner("seq");
    fc.assert(
      fc.property(fc.nat(), fc.string(), fc.string(), fc.string(), (seq, id, message, before) => {
        expect(numberIn(scanner, { type: "chat_message", id, seq, message }, before)).toBe(seq);
        expect(numberIn(scanner, { id, message, seq }, before)).toBe(seq);
      }),
    );
  });

  test("is not found in a string that looks like it", () => {
    const scanner = new FieldScanner("seq");
    expect(numberIn(scanner, { message: '"seq":7,', note: '\\"seq\\":8', seq: 9 })).toBe(9);
    expect(numberIn(scanner, { message: '"seq":7', key: "seq" })).toBe(-1);
  });

  test("is not found beyond the frame", () => {
    const scanner = new FieldScanner("seq");
    expect(numberIn(scanner, { type: "x" })).toBe(-1);
    expect(numberIn(scanner, { seq: 1 })).toBe(1);
    expect(numberIn(scanner, {})).toBe(-1);
  });

  test("is not found in the frame before, where a longer one had it", () => {
    const scanner = new FieldScanner("seq");
    expect(numberIn(scanner, { seq: 2, text: "1234" })).toBe(2);
    expect(numberIn(scanner, {}, JSON.stringify({ seq: 3, text: "12" }))).toBe(-1);
  });

  test("is unread_count, in both badge frames", () => {
    const scanner = new FieldScanner("unread_count");
    for (const type of ["unread_count", "new_message_notification", "unread_count"]) {
      expect(numberIn(scanner, { type, unread_count: 8 })).toBe(8);
    }
    expect(numberIn(scanner, { type: "unread_count" })).toBe(-1);
  });

  test("that is no whole number has none", () => {
    const scanner = new FieldScanner("seq");
    for (const seq of [null, "7", -7, [7]]) expect(numberIn(scanner, { seq })).toBe(-1);
  });
});

describe("a client_id", () => {
  const scanner = new FieldScanner("client_id", '"');
  const read = (frame: object) => {
    const { bytes, start, end } = placed(JSON.stringify(frame), "");
    return readClientId(bytes, scanner.find(bytes, start, end), end);
  };
  const written = (sender: number, number: number) =>
    clientIdOf(sender).replace(NUMBER_PLACEHOLDER, String(number).padStart(NUMBER_PLACEHOLDER.length, "0"));

  test("says its sender and its number", () => {
    fc.assert(
      fc.property(fc.nat(999_999), fc.integer({ min: 1, max: 99_999_999 }), fc.string(), (sender, number, room) => {
        const clientId = read({ seq: number, client_id: written(sender, number), room });
        expect([senderOf(clientId), numberOf(clientId)]).toEqual([sender, number]);
      }),
    );
  });

  test("that is not ours is none", () => {
    for (const frame of [{}, { client_id: "" }, { client_id: "000001" }, { client_id: "a1" }, { client_id: 17 }]) {
      expect(read(frame)).toBe(-1);
    }
  });
});

test("the names of users have one length", () => {
  expect(userName("run", 7)).toBe("run-u000007");
  expect(userName("run", 123_456)).toBe("run-u123456");
});
