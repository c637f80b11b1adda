import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeCloseReason, encodeTextFrame } from "../../server/transport/frame.ts";
import { LoopbackServer } from "./loopback.ts";

describe("a text frame", () => {
  let server: LoopbackServer;
  beforeEach(async () => {
    server = await LoopbackServer.start();
  });
  afterEach(() => server.stop());

  test.each([
    { what: "nothing", text: "", header: "8100" },
    { what: "1 byte", text: "a", header: "8101" },
    { what: "the longest 7-bit length", text: "a".repeat(125), header: "817d" },
    { what: "the shortest 16-bit length", text: "a".repeat(126), header: "817e007e" },
    { what: "the longest 16-bit length", text: "a".repeat(65_535), header: "817effff" },
    { what: "the shortest 64-bit length", text: "a".repeat(65_536), header: "817f0000000000010000" },
    { what: "125 characters of 126 bytes", text: `é${"a".repeat(124)}`, header: "817e007e" },
    { what: "2, 3 and 4 bytes a character", text: "né 漢字 👩‍🚀", header: "8116" },
    { what: "65,536 bytes in 3-byte characters", text: `${"漢".repeat(21_845)}a`, header: "817f0000000000010000" },
  ])("of $what is decoded by a client as it was", async ({ text, header }) => {
    const frame = encodeTextFrame(text);
    expect(frame.toString("hex", 0, header.length / 2)).toBe(header);
    expect(frame.length).toBe(header.length / 2 + Buffer.byteLength(text));
    const { connection, client } = await server.openPair();
    connection.send(frame);
    connection.send(encodeTextFrame("next"));
    expect(await client.framesOnceThereAre(2)).toEqual([text, "next"]);
  });

  test("holds U+FFFD for an unpaired surrogate, so that the client does not refuse it", async () => {
    const { connection, client } = await server.openPair();
    connection.send(encodeTextFrame("a\ud83db"));
    expect(await client.framesOnceThereAre(1)).toEqual(["a\ufffdb"]);
  });
});

test("a close reason is cut to 123 bytes between characters", () => {
  expect(encodeCloseReason("no such room").toString()).toBe("no such room");
  expect(encodeCloseReason("a".repeat(124)).toString()).toBe("a".repeat(123));
  expect(encodeCloseReason(`a${"é".repeat(100)}`).toString()).toBe(`a${"é".repeat(61)}`);
  expect(encodeCloseReason(`aa${"é".repeat(100)}`).toString()).toBe(`aa${"é".repeat(60)}`);
});
