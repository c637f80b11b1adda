import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { channelsDialect } from "../../../bench/load/channels-dialect.ts";
import { type Audience, Connection, type Target } from "../../../bench/load/connection.ts";
import { encodeTextFrame } from "../../../server/transport/frame.ts";

class Listener implements Audience {
  readonly texts: string[] = [];
  readonly lostWith: Promise<string>;
  connection: Connection | null = null;
  #lost: (reason: string) => void = () => {};

  constructor() {
    this.lostWith = new Promise((resolve) => {
      this.#lost = resolve;
    });
  }

  opened(connection: Connection): void {
    this.connection = connection;
  }

  text(bytes: Buffer, start: number, end: number): void {
    this.texts.push(bytes.toString("utf8", start, end));
  }

  lost(reason: string): void {
    this.#lost(reason);
  }
}

let server: WebSocketServer;
let target: Target;
beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  target = targetOf(server.address() as AddressInfo);
});
afterEach(() => {
  for (const socket of server.clients) socket.terminate();
  server.close();
});

function targetOf({ port }: AddressInfo): Target {
  return { host: "127.0.0.1", port, localAddress: undefined };
}

/** A socket that is open with its first frame, and the server's side of it. */
async function open(listener: Listener, at = target): Promise<{ socket: WebSocket; address: string | undefined }> {
  const connected = once(server, "connection");
  const opened = Connection.open(at, channelsDialect.room("team", "token"), listener);
  const [socket, request] = await connected;
  socket.send("first");
  await opened;
  return { socket, address: request.socket.remoteAddress };
}

test("the frame that opens it is heard, and what follows", async () => {
  const listener = new Listener();
  const { socket } = await open(listener);
  const large = "x".repeat(1_000_000);
  socket.send(large);
  socket.close(4000, "enough");
  expect(await listener.lostWith).toBe("closed with 4000 enough");
  expect(listener.texts).toEqual(["first", large]);
});

test("it answers pings, and sends texts", async () => {
  const listener = new Listener();
  const { socket } = await open(listener);
  const pong = once(socket, "pong");
  socket.ping("are you there?");
  expect(String((await pong)[0])).toBe("are you there?");
  const message = once(socket, "message");
  listener.connection?.sendText("said");
  expect(String((await message)[0])).toBe("said");
});

test("it closes in order", async () => {
  const listener = new Listener();
  const { socket } = await open(listener);
  const closed = once(socket, "close");
  await listener.connection?.close();
  expect((await closed)[0]).toBe(1000);
});

test("a connection that is cut is lost", async () => {
  const listener = new Listener();
  const { socket } = await open(listener);
  socket.terminate();
  expect(await listener.lostWith).toMatch(/the connection was cut|ECONNRESET/);
});

test.runIf(process.platform === "linux")("it comes from the address that it is told", async () => {
  const { address } = await open(new Listener(), { ...target, localAddress: "127.0.0.9" });
  expect(address).toBe("127.0.0.9");
});

test("frames that come with the handshake's answer are not lost", async () => {
  const raw = await startRaw((key) => {
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    const head = `HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), encodeTextFrame("first"), encodeTextFrame("second")]);
  });
  const listener = new Listener();
  await Connection.open(targetOf(raw.address() as AddressInfo), channelsDialect.room("team", "token"), listener);
  expect(listener.texts).toEqual(["first", "second"]);
  await listener.connection?.close();
  raw.close();
});

test.each([
  ["HTTP/1.1 404 Not Found\r\n\r\nno such room", "refused: HTTP/1.1 404 Not Found no such room"],
  ["HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n", "the handshake's answer is to another key"],
])("a handshake that is answered otherwise fails: %s", async (answer, reason) => {
  const raw = await startRaw(() => Buffer.from(answer));
  const at = targetOf(raw.address() as AddressInfo);
  await expect(Connection.open(at, channelsDialect.room("team", "token"), new Listener())).rejects.toThrow(reason);
  raw.close();
});

async function startRaw(answer: (key: string | undefined) => Buffer): Promise<Server> {
  const raw = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", (request) => socket.write(answer(/^Sec-WebSocket-Key: (\S+)/m.exec(String(request))?.[1])));
    socket.on("end", () => socket.end());
  });
  raw.listen(0, "127.0.0.1");
  await once(raw, "listening");
  return raw;
}
