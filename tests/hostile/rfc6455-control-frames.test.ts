/** RFC 6455, 5.1, 5.2 and 5.5: pings and pongs, masks, and what is reserved. */
import { describe, it, test } from "vitest";
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  closing,
  describeWire,
  FIN,
  frame,
  PING,
  PONG,
  RSV1,
  RSV2,
  RSV3,
  said,
  TEXT,
} from "./peer.ts";

describeWire("RFC 6455: control frames and reserved bits", (wire) => {
  describe("a ping (RFC 6455, 5.5.2 and 5.5.3)", () => {
    it.each([0, 1, 124, 125])("of %i bytes is answered with the same bytes", async (bytes) => {
      const peer = await wire.open();
      const payload = Buffer.from(Array.from({ length: bytes }, (_, index) => (index * 7 + 0xf0) & 0xff));
      peer.write(frame(FIN | PING, payload));
      await peer.expectPong(payload);
    });

    it("is answered in its turn when there are many", async () => {
      const peer = await wire.open();
      const payloads = Array.from({ length: 10 }, (_, index) => `ping ${index}`);
      peer.write(...payloads.map((payload) => frame(FIN | PING, payload)));
      for (const payload of payloads) await peer.expectPong(payload);
    });

    it("may arrive byte by byte", async () => {
      const peer = await wire.open();
      peer.client.socket.setNoDelay();
      for (const byte of frame(FIN | PING, "slowly")) {
        await new Promise((resolve) => peer.client.socket.write(Buffer.from([byte]), resolve));
      }
      await peer.expectPong("slowly");
    });

    test("a pong that nobody asked for is taken in silence", async () => {
      const peer = await wire.open();
      peer.write(frame(FIN | PONG), frame(FIN | PONG, "unasked"), frame(FIN | TEXT, said("next")));
      await peer.expectEcho("next");
    });
  });

  describe("a control frame (RFC 6455, 5.5)", () => {
    it.each([
      ["a ping", PING],
      ["a pong", PONG],
      ["a close", CLOSE],
    ])("has at most 125 bytes: %s of 126 is 1002", async (_what, opcode) => {
      const peer = await wire.open();
      peer.write(frame(FIN | opcode, "x".repeat(126)));
      await peer.expectClose(1002);
    });

    it.each([
      ["a ping", PING],
      ["a pong", PONG],
      ["a close", CLOSE],
    ])("says its length in one byte: %s that uses two more is 1002", async (_what, opcode) => {
      const peer = await wire.open();
      peer.write(frame(FIN | opcode, closing(1000), { lengthBytes: 2 }));
      await peer.expectClose(1002);
    });

    it.each([
      ["a ping", PING],
      ["a pong", PONG],
      ["a close", CLOSE],
    ])("comes whole: %s in fragments is 1002", async (_what, opcode) => {
      const peer = await wire.open();
      peer.write(frame(opcode, closing(1000)), frame(FIN | CONTINUATION));
      await peer.expectClose(1002);
    });

    test("between the fragments of a message is held to the same: 1002", async () => {
      const peer = await wire.open();
      peer.write(frame(TEXT, "{"), frame(PING, "x"));
      await peer.expectClose(1002);
    });
  });

  describe("what is reserved (RFC 6455, 5.2)", () => {
    it.each([0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf])("opcode %i is 1002", async (opcode) => {
      const peer = await wire.open();
      peer.write(frame(FIN | opcode, "{}"));
      await peer.expectClose(1002);
    });

    it.each([0x3, 0x7, 0xb, 0xf])("opcode %i between fragments is 1002", async (opcode) => {
      const peer = await wire.open();
      peer.write(frame(TEXT, "{"), frame(FIN | opcode));
      await peer.expectClose(1002);
    });

    const opcodes = { "a text": TEXT, bytes: BINARY, "a ping": PING, "a pong": PONG, "a close": CLOSE };
    const bits = { RSV1, RSV2, RSV3, "all three": RSV1 | RSV2 | RSV3 };
    it.each(
      Object.entries(opcodes).flatMap(([what, opcode]) =>
        Object.entries(bits).map(([name, bit]) => ({ what, opcode, name, bit })),
      ),
    )("$name on $what is 1002: no extension was agreed on", async ({ opcode, bit }) => {
      const peer = await wire.open();
      peer.write(frame(FIN | bit | opcode, closing(1000)));
      await peer.expectClose(1002);
    });

    it.each(Object.entries(bits))("%s on a continuation is 1002", async (_name, bit) => {
      const peer = await wire.open();
      peer.write(frame(TEXT, "{"), frame(FIN | bit | CONTINUATION, "}"));
      await peer.expectClose(1002);
    });
  });

  describe("a frame of a client's is masked (RFC 6455, 5.1)", () => {
    it.each([
      ["a text", TEXT, "{}"],
      ["an empty text", TEXT, ""],
      ["bytes", BINARY, "{}"],
      ["a ping", PING, "x"],
      ["a close", CLOSE, closing(1000)],
    ])("%s that is not is 1002", async (_what, opcode, payload) => {
      const peer = await wire.open();
      peer.write(frame(FIN | opcode, payload, { isMasked: false }));
      await peer.expectClose(1002);
    });

    test("what was said before it was said", async () => {
      const peer = await wire.open();
      peer.write(frame(FIN | TEXT, said("before")));
      await peer.expectEcho("before");
      peer.write(frame(FIN | TEXT, said("unmasked"), { isMasked: false }));
      await peer.expectClose(1002);
    });
  });
});
