/** RFC 6455, 5.2 and 5.4: how a message is cut into frames, and how a frame says its length. */
import { describe, expect, it, test } from "vitest";
import { BINARY, CLOSE, CONTINUATION, closing, describeWire, FIN, frame, PING, PONG, said, TEXT } from "./peer.ts";

const MAX_FRAME_BYTES = 65_536;

describeWire("RFC 6455: messages and their frames", (wire) => {
  describe("a message in fragments (RFC 6455, 5.4)", () => {
    it("is one message, in however many", async () => {
      const peer = await wire.open();
      const [first = 0, ...rest] = Buffer.from(said("one byte each"));
      const last = rest.pop() ?? 0;
      peer.write(
        frame(TEXT, Buffer.from([first])),
        ...rest.map((byte) => frame(CONTINUATION, Buffer.from([byte]))),
        frame(FIN | CONTINUATION, Buffer.from([last])),
      );
      await peer.expectEcho("one byte each");
    });

    it("may have empty ones, at the start, in the middle and at the end", async () => {
      const peer = await wire.open();
      peer.write(frame(TEXT), frame(CONTINUATION, said("hollow")), frame(CONTINUATION), frame(FIN | CONTINUATION));
      await peer.expectEcho("hollow");
    });

    it("may have control frames between them, which are answered before its end", async () => {
      const peer = await wire.open();
      const text = said("interrupted");
      peer.write(frame(TEXT, text.slice(0, 10)), frame(FIN | PING, "first"));
      await peer.expectPong("first");
      peer.write(frame(CONTINUATION, text.slice(10, 20)), frame(FIN | PONG, "unasked"), frame(FIN | PING));
      await peer.expectPong("");
      peer.write(frame(FIN | CONTINUATION, text.slice(20)));
      await peer.expectEcho("interrupted");
    });

    it("is given up when a close comes between them (5.5.1)", async () => {
      const peer = await wire.open();
      peer.write(frame(TEXT, said("never ended").slice(0, 10)), frame(FIN | CLOSE, closing(1001)));
      await peer.expectClose(1001);
    });

    it("of bytes is an invalid_frame like any other binary one, once it is whole", async () => {
      const peer = await wire.open();
      peer.write(frame(BINARY, "some"), frame(FIN | PING, "between"), frame(FIN | CONTINUATION, " bytes"));
      await peer.expectPong("between");
      expect(await peer.receive()).toMatchObject({ type: "error", code: "invalid_frame" });
    });

    it.each([
      ["a last continuation of nothing", [frame(FIN | CONTINUATION, "{}")]],
      ["a continuation of nothing", [frame(CONTINUATION, "{}"), frame(FIN | CONTINUATION, "{}")]],
      ["a continuation of what was whole", [frame(FIN | TEXT, "{"), frame(FIN | CONTINUATION, "}")]],
      ["a text within a text", [frame(TEXT, "{"), frame(FIN | TEXT, "}")]],
      ["a first fragment within a text", [frame(TEXT, "{"), frame(TEXT, "}")]],
      ["bytes within a text", [frame(TEXT, "{"), frame(FIN | BINARY, "}")]],
      ["a text within bytes", [frame(BINARY, "{"), frame(FIN | TEXT, "}")]],
    ])("cannot be %s: 1002", async (_what, frames) => {
      const peer = await wire.open();
      peer.write(...frames);
      // An answer to what was whole may come before it, or be lost with the connection.
      expect(await peer.client.closeCode()).toBe(1002);
      expect(await peer.client.rest()).toBe("");
    });

    test("[LIMIT-1] many small ones are counted together: 1009", async () => {
      const peer = await wire.open();
      const kilobyte = " ".repeat(1024);
      peer.write(frame(TEXT, kilobyte), ...Array<Buffer>(63).fill(frame(CONTINUATION, kilobyte)));
      peer.write(frame(FIN | PING, "still open"));
      await peer.expectPong("still open");
      peer.write(frame(CONTINUATION, " "));
      await peer.expectClose(1009);
    });
  });

  describe("the length of a frame (RFC 6455, 5.2)", () => {
    it.each([125, 126, 127, 128, 65_535, MAX_FRAME_BYTES])("may be %i", async (bytes) => {
      const peer = await wire.open();
      peer.write(frame(FIN | TEXT, said("padded").padEnd(bytes)));
      await peer.expectEcho("padded");
    });

    // "The minimal number of bytes MUST be used" binds who sends; what they mean is plain, and costs no more than it says.
    it.each([2, 8] as const)("is understood in %i bytes where fewer would do", async (lengthBytes) => {
      const peer = await wire.open();
      peer.write(frame(FIN | TEXT, said("long-winded"), { lengthBytes }));
      await peer.expectEcho("long-winded");
      peer.write(frame(FIN | TEXT, "", { lengthBytes }));
      expect(await peer.receive()).toMatchObject({ code: "invalid_json" });
    });

    it.each([
      ["with its highest bit set", [0x80, 0, 0, 0, 0, 0, 0, 1]],
      ["with all bits set", Array(8).fill(0xff)],
      ["of 2^53", [0, 0x20, 0, 0, 0, 0, 0, 0]],
      ["of 4 GiB", [0, 0, 0, 1, 0, 0, 0, 0]],
      ["of one byte over the limit", [0, 0, 0, 0, 0, 1, 0, 1]],
    ])("%s is refused by the header alone: 1009", async (_what, length) => {
      const peer = await wire.open();
      peer.write(Buffer.from([FIN | TEXT, 0xff, ...length]));
      await peer.expectClose(1009);
    });

    it("may arrive byte by byte, and so may all that follows", async () => {
      const peer = await wire.open();
      peer.client.socket.setNoDelay();
      for (const byte of frame(FIN | TEXT, said("drop by drop").padEnd(1_000))) {
        await new Promise((resolve) => peer.client.socket.write(Buffer.from([byte]), resolve));
      }
      await peer.expectEcho("drop by drop");
    });

    it("may be the largest, in pieces of any size", async () => {
      const peer = await wire.open();
      peer.client.socket.setNoDelay();
      const bytes = frame(FIN | TEXT, said("piece by piece").padEnd(MAX_FRAME_BYTES));
      for (let start = 0, size = 1; start < bytes.length; start += size, size = (size * 7) % 1_009) {
        const piece = bytes.subarray(start, start + size);
        await new Promise((resolve) => peer.client.socket.write(piece, resolve));
      }
      await peer.expectEcho("piece by piece");
    });

    it("may be followed at once by the next frame, and that by another", async () => {
      const peer = await wire.open();
      peer.write(frame(FIN | TEXT, said("one")), frame(FIN | TEXT, said("two")), frame(FIN | TEXT, said("three")));
      for (const message of ["one", "two", "three"]) await peer.expectEcho(message);
    });
  });
});
