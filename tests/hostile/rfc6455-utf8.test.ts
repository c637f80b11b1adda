/** RFC 6455, 5.6 and 8.1: a text is UTF-8 (RFC 3629), or the connection fails with 1007. */
import { describe, expect, it, test } from "vitest";
import { BINARY, CLOSE, CONTINUATION, closing, describeWire, FIN, frame, said, TEXT } from "./peer.ts";
import { SCRIPTS } from "./values.ts";

/** Sequences of bytes that are no UTF-8, by what is wrong with them. */
const BROKEN: Readonly<Record<string, readonly number[]>> = {
  "a continuation byte alone": [0x80],
  "the last continuation byte alone": [0xbf],
  "two bytes, the second missing": [0xc3],
  "two bytes, the second of another kind": [0xc3, 0x28],
  "three bytes, the last missing": [0xe2, 0x82],
  "three bytes, the second of another kind": [0xe2, 0x28, 0xa1],
  "four bytes, the last missing": [0xf0, 0x9f, 0x98],
  "four bytes, the third of another kind": [0xf0, 0x90, 0x28, 0xbc],
  "a slash in two bytes": [0xc0, 0xaf],
  "a slash in three bytes": [0xe0, 0x80, 0xaf],
  "a slash in four bytes": [0xf0, 0x80, 0x80, 0xaf],
  "NUL in two bytes": [0xc0, 0x80],
  "a high surrogate": [0xed, 0xa0, 0x80],
  "a low surrogate": [0xed, 0xbf, 0xbf],
  "a pair of surrogates": [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
  "beyond U+10FFFF": [0xf4, 0x90, 0x80, 0x80],
  "five bytes": [0xf8, 0x88, 0x80, 0x80, 0x80],
  "six bytes": [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80],
  "0xFE": [0xfe],
  "0xFF": [0xff],
};

/** A chat message whose text has these bytes in its middle. */
function around(bytes: readonly number[]): Buffer {
  const [before = "", after = ""] = said("(|)").split("|");
  return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
}

describeWire("RFC 6455: text", (wire) => {
  describe("a text that is not UTF-8 fails the connection with 1007 (RFC 6455, 8.1)", () => {
    it.each(Object.entries(BROKEN))("%s", async (_what, bytes) => {
      const peer = await wire.open();
      peer.write(frame(FIN | TEXT, around(bytes)));
      await peer.expectClose(1007);
    });

    it.each(Object.entries(BROKEN))("%s, at the very end", async (_what, bytes) => {
      const peer = await wire.open();
      peer.write(frame(FIN | TEXT, Buffer.concat([Buffer.from(said("whole")), Buffer.from(bytes)])));
      await peer.expectClose(1007);
    });

    it.each(Object.entries(BROKEN))("%s, a fragment for each byte", async (_what, bytes) => {
      const peer = await wire.open();
      const all = around(bytes);
      const pieces = [...all].map((byte, index) => {
        const opcode = index === 0 ? TEXT : CONTINUATION;
        return frame(index === all.length - 1 ? FIN | opcode : opcode, Buffer.from([byte]));
      });
      peer.write(...pieces);
      await peer.expectClose(1007);
    });

    test("at its end at the latest: what is broken in the first fragment is not mended by the last", async () => {
      const peer = await wire.open();
      peer.write(frame(TEXT, Buffer.from([0x22, 0xff])), frame(CONTINUATION, "valid"), frame(FIN | CONTINUATION, '"'));
      await peer.expectClose(1007);
    });

    test("nothing of it is taken for a message, nor what follows it", async () => {
      const peer = await wire.open();
      peer.write(frame(FIN | TEXT, around([0xff])), frame(FIN | TEXT, said("behind it")));
      await peer.expectClose(1007);
      const again = await wire.reopen(peer);
      expect((await again.receive()).type).toBe("user_join");
      again.write(frame(FIN | TEXT, said("the first")));
      expect(await again.receive()).toMatchObject({ message: "the first", seq: 1 });
    });

    it.each(Object.entries(BROKEN))("in the reason of a close too: %s (5.5.1)", async (_what, bytes) => {
      const peer = await wire.open();
      peer.write(frame(FIN | CLOSE, closing(1000, Buffer.from(bytes))));
      await peer.expectClose(1007);
    });
  });

  describe("a text that is UTF-8 (RFC 6455, 5.6)", () => {
    it.each(Object.entries(SCRIPTS))("is taken: %s", async (_script, text) => {
      const peer = await wire.open();
      peer.write(frame(FIN | TEXT, said(text)));
      await peer.expectEcho(text);
    });

    it.each(["é", "€", "😀", "\u{10ffff}", "\ufffe"])("may be cut anywhere by fragments: %j", async (character) => {
      const peer = await wire.open();
      const all = Buffer.from(said(character));
      const start = all.indexOf(Buffer.from(character));
      for (let cut = start; cut <= start + Buffer.byteLength(character); cut += 1) {
        peer.write(frame(TEXT, all.subarray(0, cut)), frame(FIN | CONTINUATION, all.subarray(cut)));
        await peer.expectEcho(character);
      }
    });

    test("bytes are not looked at: what is no UTF-8 in them is an invalid_frame, and no reason to close", async () => {
      const peer = await wire.open();
      for (const bytes of Object.values(BROKEN).slice(0, 5)) {
        peer.write(frame(FIN | BINARY, Buffer.from(bytes)));
        expect(await peer.receive()).toMatchObject({ type: "error", code: "invalid_frame" });
      }
    });
  });
});
