/** RFC 6455, 5.5.1, 7.1 and 7.4: how a connection is closed, and with which codes. */
import { describe, expect, it, test } from "vitest";
import { CLOSE, closing, describeWire, FIN, frame, PING, said, TEXT } from "./peer.ts";

describeWire("RFC 6455: closing", (wire) => {
  describe("a close (RFC 6455, 5.5.1 and 7.4)", () => {
    it("without a code is answered without one", async () => {
      const peer = await wire.open();
      peer.write(frame(FIN | CLOSE));
      await peer.expectClose(null);
    });

    // 7.4.1 and the registry of 11.7, which came to have 1012 to 1014; 7.4.2: 3000 to 4999 are for libraries and applications.
    it.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4404, 4999])(
      "with %i is answered with the same",
      async (code) => {
        const peer = await wire.open();
        peer.write(frame(FIN | CLOSE, closing(code, "for a reason")));
        await peer.expectClose(code);
      },
    );

    it.each([0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535])(
      "with %i, which no endpoint may send, is answered with 1002",
      async (code) => {
        const peer = await wire.open();
        peer.write(frame(FIN | CLOSE, closing(code)));
        await peer.expectClose(1002);
      },
    );

    it("of one byte, which is half a code, is answered with 1002", async () => {
      const peer = await wire.open();
      peer.write(frame(FIN | CLOSE, "x"));
      await peer.expectClose(1002);
    });

    it.each(["", "x", "a reason of 123 bytes".padEnd(123, "."), "é".repeat(61), "😀".repeat(30)])(
      "may give a reason: %j",
      async (reason) => {
        const peer = await wire.open();
        peer.write(frame(FIN | CLOSE, closing(4000, reason)));
        await peer.expectClose(4000);
      },
    );

    it("with a reason of 124 bytes is a control frame of 126, hence answered with 1002 (5.5)", async () => {
      const peer = await wire.open();
      peer.write(frame(FIN | CLOSE, closing(1000, "x".repeat(124))));
      await peer.expectClose(1002);
    });
  });

  describe("after a close (RFC 6455, 5.5.1 and 7.1)", () => {
    it.each([
      ["a message", frame(FIN | TEXT, said("too late"))],
      ["a ping", frame(FIN | PING, "too late")],
      ["another close", frame(FIN | CLOSE, closing(4000))],
      ["nonsense", Buffer.from([0xff, 0xff, 0xff, 0xff])],
      ["half a frame", frame(FIN | TEXT, said("half")).subarray(0, 9)],
    ])("%s is not heard", async (_what, bytes) => {
      const peer = await wire.open();
      peer.write(frame(FIN | CLOSE, closing(1000)), bytes);
      await peer.expectClose(1000);
      const again = await wire.reopen(peer);
      expect((await again.receive()).type).toBe("user_join");
      again.write(frame(FIN | TEXT, said("the first")));
      expect(await again.receive()).toMatchObject({ message: "the first", seq: 1 });
    });

    test("what was said before it is done, and its echo may be lost", async () => {
      const peer = await wire.open();
      peer.write(frame(FIN | TEXT, said("last words")), frame(FIN | CLOSE, closing(1000)));
      await peer.client.rest();
      const again = await wire.reopen(peer);
      const next = async () => {
        again.write(frame(FIN | TEXT, said("next")));
        for (;;) {
          const heard = await again.receive();
          if (heard.message === "next") return heard;
        }
      };
      expect(await next()).toMatchObject({ seq: 2 });
    });

    test("the server ends the connection, not the client (7.1.1)", async () => {
      const peer = await wire.open();
      const ended = new Promise((resolve) => peer.client.socket.once("end", resolve));
      peer.write(frame(FIN | CLOSE, closing(1000)));
      await ended;
      await peer.expectClose(1000);
    });

    test("of the server's own, what the client says is not heard, and its answer ends the connection", async () => {
      const peer = await wire.open();
      peer.write(...Array<Buffer>(20).fill(frame(FIN | TEXT, "{")));
      for (let refused = 0; refused < 20; refused += 1)
        expect(await peer.receive()).toMatchObject({ code: "invalid_json" });
      const { opcode, payload } = await peer.client.frame();
      expect({ opcode, code: payload.readUInt16BE() }).toEqual({ opcode: CLOSE, code: 1008 });
      peer.write(frame(FIN | TEXT, said("too late")), frame(FIN | CLOSE, closing(1008)));
      expect(await peer.client.rest()).toBe("");
    });
  });
});
