import { describe, expect, it } from "vitest";
import { readCursor, writeCursor } from "../../server/http/conversation-cursor.ts";

const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a cursor", () => {
  it("is read as it was written", () => {
    const place = { updatedAt: "2026-01-01T00:00:00.000Z", id: "c-1" };
    expect(readCursor(writeCursor(place))).toEqual(place);
  });

  it.each([
    "0000-01-01T00:00:00.000Z",
    "-000001-01-01T00:00:00.000Z",
    "+010000-01-01T00:00:00.000Z",
    "+275760-09-13T00:00:00.000Z",
    "294276-12-31T00:00:00.000Z",
    "2026-02-30T00:00:00.000Z",
    "2026-01-01T00:00:00Z",
    "2026-01-01",
    "infinity",
    "",
    1e308,
    null,
  ])("is refused before storage sees it: %j", (updatedAt) => {
    expect(() => readCursor(cursor([updatedAt, "c-1"]))).toThrow(/query\.cursor/);
  });
});
