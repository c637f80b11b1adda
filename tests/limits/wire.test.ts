/** Below the frames: sizes, encodings, RFC 6455's own rules, and connections that end in the middle of things. */
import { expect, it, onTestFinished, test, vi } from "vitest";
import { clientFrame, RawClient } from "../handshake/raw-client.ts";
import { describeOnBoth, tokenFor } from "../support/stack.ts";
import { expectNextNumber, ownRoom } from "./room.ts";

const MAX_FRAME_BYTES = 65_536;

/** A chat message of exactly `bytes` bytes, filled up with blanks that JSON does not mind. */
const padded = (bytes: number): string => '{"type":"chat_message","message":"large"}'.padEnd(bytes, " ");

/** Opcodes and flags of RFC 6455, 5.2. */
const FIN = 0x80;
const [CONTINUATION, TEXT, CLOSE, PING] = [0x0, 0x1, 0x8, 0x9];

function watchForUncaught(): () => void {
  const uncaught = vi.fn();
  process.on("uncaughtException", uncaught);
  onTestFinished(() => {
    process.off("uncaughtException", uncaught);
  });
  return () => expect(uncaught).not.toHaveBeenCalled();
}

describeOnBoth("bad frames in a row", {}, (stack) => {
  it("20 within 10 s close the socket with 1008", async () => {
    const { socket } = await ownRoom(stack());
    for (let sent = 0; sent < 7; sent += 1) {
      socket.send("{");
      socket.send({ type: "nonsense" });
      if (sent < 6) socket.send({ type: "typing" });
    }
    const codes = (await socket.receiveMany(20)).map(({ code }) => code);
    expect(codes.slice(0, 3)).toEqual(["invalid_json", "unknown_type", "invalid_frame"]);
    expect(await socket.closed).toEqual({ code: 1008, reason: "too many bad frames" });
  });

  it("19 do not", async () => {
    const { socket } = await ownRoom(stack());
    for (let sent = 0; sent < 19; sent += 1) socket.send("{");
    await socket.receiveMany(19);
    await expectNextNumber(socket, 1);
  });

  it("frames that are refused for another reason do not count", async () => {
    const { socket } = await ownRoom(stack());
    for (let sent = 0; sent < 30; sent += 1) socket.send({ type: "delete_message", id: "no-such-id" });
    const codes = (await socket.receiveMany(30)).map(({ code }) => code);
    expect(codes).toEqual(Array(30).fill("forbidden"));
    await expectNextNumber(socket, 1);
  });

  it("another socket of the same user lives on", async () => {
    const { name, path, socket } = await ownRoom(stack());
    const other = await stack().connect(name, path);
    expect(await other.receive()).toEqual({ type: "online_user_list", users: [name] });
    for (let sent = 0; sent < 20; sent += 1) socket.send("{");
    expect((await socket.closed).code).toBe(1008);
    await expectNextNumber(other, 1);
  });
});

describeOnBoth("a frame's size", {}, (stack) => {
  it(`may be ${MAX_FRAME_BYTES} bytes`, async () => {
    const { socket } = await ownRoom(stack());
    socket.send(padded(MAX_FRAME_BYTES));
    expect(await socket.receive()).toMatchObject({ message: "large", seq: 1 });
  });

  it("beyond it closes with 1009", async () => {
    const { name, path, socket } = await ownRoom(stack());
    socket.send(padded(MAX_FRAME_BYTES + 1));
    expect((await socket.closed).code).toBe(1009);
    const again = await stack().connect(name, path);
    await again.receiveMany(2);
    await expectNextNumber(again, 1);
  });

  it("is that of all its fragments", async () => {
    const { socket } = await ownRoom(stack());
    const text = padded(MAX_FRAME_BYTES + 1);
    socket.socket.send(text.slice(0, 40_000), { fin: false });
    socket.socket.send(text.slice(40_000), { fin: true });
    expect((await socket.closed).code).toBe(1009);
  });

  it("is refused by what its header says, before its bytes are there", async () => {
    const client = await RawClient.upgraded(stack().nodes[0], "giant", "/ws/giant/");
    const header = Buffer.from([FIN | TEXT, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    client.socket.write(header);
    expect(await client.closeCode()).toBe(1009);
  });
});

describeOnBoth("what RFC 6455 allows", { settings: { PING_SECONDS: "3600" } }, (stack) => {
  it("a text in fragments, with a ping between them", async () => {
    const { socket } = await ownRoom(stack());
    const pong = new Promise((resolve) => socket.socket.once("pong", (data) => resolve(data.toString())));
    socket.socket.send('{"type":"chat_message",', { fin: false });
    socket.socket.ping("are you there");
    socket.socket.send('"message":"in', { fin: false });
    socket.socket.send(' pieces 😀"}', { fin: true });
    expect(await pong).toBe("are you there");
    expect(await socket.receive()).toMatchObject({ message: "in pieces 😀", seq: 1 });
  });

  it("a character that is cut in two by fragments", async () => {
    const client = await RawClient.upgraded(stack().nodes[0], "cutter", "/ws/cutter/");
    await client.frame();
    await client.frame();
    const text = Buffer.from('{"type":"chat_message","message":"😀"}');
    const middle = text.indexOf(0xf0) + 2;
    client.socket.write(clientFrame(TEXT, text.subarray(0, middle)));
    client.socket.write(clientFrame(FIN | CONTINUATION, text.subarray(middle)));
    expect(JSON.parse((await client.frame()).payload.toString())).toMatchObject({ message: "😀", seq: 1 });
    client.reset();
  });

  it("a frame that arrives byte by byte, and many that arrive at once", async () => {
    const client = await RawClient.upgraded(stack().nodes[0], "slow", "/ws/slow/");
    await client.frame();
    await client.frame();
    client.socket.setNoDelay();
    for (const byte of clientFrame(FIN | TEXT, '{"type":"chat_message","message":"slow"}')) {
      await new Promise((resolve) => client.socket.write(Buffer.from([byte]), resolve));
    }
    expect(JSON.parse((await client.frame()).payload.toString())).toMatchObject({ message: "slow", seq: 1 });
    const frame = clientFrame(FIN | TEXT, '{"type":"chat_message","message":"fast"}');
    client.socket.write(Buffer.concat(Array(30).fill(frame)));
    for (let seq = 2; seq <= 31; seq += 1) {
      expect(JSON.parse((await client.frame()).payload.toString())).toMatchObject({ message: "fast", seq });
    }
    client.reset();
  });

  it.each([
    ["invalid UTF-8", clientFrame(FIN | TEXT, Buffer.from([0x22, 0xc3, 0x28, 0x22])), 1007],
    ["a surrogate in UTF-8", clientFrame(FIN | TEXT, Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])), 1007],
    ["a reserved bit", clientFrame(FIN | 0x40 | TEXT, "{}"), 1002],
    ["another reserved bit", clientFrame(FIN | 0x10 | TEXT, "{}"), 1002],
    ["an unknown opcode", clientFrame(FIN | 0x3, "{}"), 1002],
    ["an unknown control opcode", clientFrame(FIN | 0xb, ""), 1002],
    ["a ping in fragments", clientFrame(PING, "x"), 1002],
    ["a ping of 126 bytes", clientFrame(FIN | PING, "x".repeat(126)), 1002],
    ["a continuation of nothing", clientFrame(FIN | CONTINUATION, "{}"), 1002],
    ["a second text within a text", Buffer.concat([clientFrame(TEXT, "{"), clientFrame(FIN | TEXT, "}")]), 1002],
    ["no mask", Buffer.from([FIN | TEXT, 2, 0x7b, 0x7d]), 1002],
    ["a close with one byte", clientFrame(FIN | CLOSE, "x"), 1002],
    ["a close with a code that is never sent", clientFrame(FIN | CLOSE, Buffer.from([0x03, 0xed])), 1002],
  ])("and not %s", async (_what, bytes, code) => {
    const expectNoneUncaught = watchForUncaught();
    const { name, path, socket } = await ownRoom(stack());
    const client = await RawClient.upgraded(stack().nodes[0], name, path);
    client.socket.write(bytes);
    expect(await client.closeCode()).toBe(code);
    await client.closed;
    await expectNextNumber(socket, 1);
    expectNoneUncaught();
  });
});

describeOnBoth("a connection that ends in the middle", { settings: { MAX_SOCKETS_PER_USER: "2" } }, (stack) => {
  const clients = () => stack().nodes[0]?.server.app.websocketServer.clients;

  test("of the upgrade request harms nobody", async () => {
    const expectNoneUncaught = watchForUncaught();
    for (const part of ["GET", "GET /ws/x/ HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upg"]) {
      const client = await RawClient.connect(stack().nodes[0]);
      client.socket.write(part);
      client.reset();
      await client.closed;
    }
    const { socket } = await ownRoom(stack());
    await expectNextNumber(socket, 1);
    expectNoneUncaught();
  });

  test("of the handshake gives everything back", async () => {
    const expectNoneUncaught = watchForUncaught();
    const authorization = `Bearer ${await tokenFor("hasty")}`;
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const client = await RawClient.connect(stack().nodes[0]);
      client.requestUpgrade("/ws/hasty/", { authorization });
      client.reset();
      await client.closed;
    }
    await stack().introduce("hasty");
    await vi.waitFor(() => expect(clients()?.size).toBe(0));
    const alone = await stack().connect("hasty", "/ws/hasty/");
    expect(await alone.receive()).toEqual({ type: "online_user_list", users: [] });
    expect(await alone.receive()).toEqual({ type: "user_join", user: "hasty" });
    expectNoneUncaught();
  });

  test("of a conversation is a leaving, and gives everything back", async () => {
    const expectNoneUncaught = watchForUncaught();
    await stack().introduce("victim");
    const bob = await stack().connect("bystander", "/ws/victim/");
    await bob.receiveMany(2);
    let seq = 0;
    for (let time = 0; time < 5; time += 1) {
      const client = await RawClient.upgraded(stack().nodes[0], "victim", "/ws/bystander/");
      expect(await bob.receive()).toEqual({ type: "user_join", user: "victim" });
      client.socket.write(clientFrame(FIN | TEXT, '{"type":"chat_message","message":"last words"}'));
      seq += 1;
      expect(await bob.receive()).toMatchObject({ message: "last words", seq });
      client.socket.write(clientFrame(FIN | TEXT, '{"type":"typing"}').subarray(0, 9));
      client.reset();
      expect(await bob.receive()).toEqual({ type: "user_leave", user: "victim" });
    }
    await vi.waitFor(() => expect(clients()?.size).toBe(1));
    expectNoneUncaught();
  });
});
