import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestNode, tokenFor } from "../support/stack.ts";

export interface Answer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface RawFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

const HEAD_END = "\r\n\r\n";

/** A client that speaks bytes, for what no WebSocket library lets one say. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
  }

  static async connect(node: Pick<TestNode, "http"> | undefined): Promise<RawClient> {
    if (node === undefined) throw new Error("the node was not started");
    const { hostname, port } = new URL(node.http);
    const socket = connect(Number(port), hostname);
    const client = new RawClient(socket);
    await once(socket, "connect");
    return client;
  }

  /** An open socket of `username`: the handshake was answered with 101. */
  static async upgraded(node: TestNode | undefined, username: string, path: string): Promise<RawClient> {
    const client = await RawClient.connect(node);
    client.requestUpgrade(path, { authorization: `Bearer ${await tokenFor(username)}` });
    const { status } = await client.answer();
    if (status !== 101) throw new Error(`the handshake was answered with ${status}`);
    return client;
  }

  requestUpgrade(path: string, headers: Record<string, string> = {}): void {
    this.request(path, {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    });
  }

  request(path: string, headers: Record<string, string> = {}): void {
    const lines = Object.entries({ host: "loopback", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  }

  /** The head of the answer. Rejects when the socket closes first. */
  async answer(): Promise<Answer> {
    while (!this.#received.includes(HEAD_END)) await this.#more();
    const [statusLine = "", ...lines] = this.#take(this.#received.indexOf(HEAD_END)).toString().split("\r\n");
    this.#take(HEAD_END.length);
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
    return { status: Number(statusLine.split(" ")[1]), headers: new Map(headers) };
  }

  /** So many bytes of a body. Rejects when the socket closes first. */
  async body(length: number): Promise<string> {
    return (await this.#bytes(length)).toString();
  }

  /** What comes until the server ends the connection. */
  async rest(): Promise<string> {
    await this.closed;
    return this.#take(this.#received.length).toString();
  }

  /** The next frame of the server's. Rejects when the socket closes first. */
  async frame(): Promise<RawFrame> {
    const [first = 0, second = 0] = await this.#bytes(2);
    const length = second < 126 ? second : (await this.#bytes(2)).readUInt16BE();
    if (second === 127) throw new Error("a longer frame than these tests expect");
    return { opcode: first & 0x0f, payload: await this.#bytes(length) };
  }

  /** The code of the close frame, passing over what came before it. */
  async closeCode(): Promise<number> {
    for (;;) {
      const { opcode, payload } = await this.frame();
      if (opcode === 0x8) return payload.readUInt16BE();
    }
  }

  /** The connection ends with a reset, not an end. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  async #bytes(count: number): Promise<Buffer> {
    while (this.#received.length < count) await this.#more();
    return this.#take(count);
  }

  #take(count: number): Buffer {
    const taken = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return taken;
  }

  async #more(): Promise<void> {
    const before = this.#received.length;
    await Promise.race([once(this.socket, "data"), this.closed]);
    if (this.#received.length === before) throw new Error("the server closed the connection first");
  }
}

/**
 * A client's frame, masked with zeros, which leaves the payload as it is. `firstByte`: FIN, reserved bits, opcode.
 * Source: RFC 6455, 5.2.
 */
export function clientFrame(firstByte: number, payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload);
  if (bytes.length > 0xffff) throw new Error("longer than these tests need");
  const length = Buffer.from(
    bytes.length < 126 ? [0x80 | bytes.length] : [0xfe, bytes.length >> 8, bytes.length & 0xff],
  );
  return Buffer.concat([Buffer.from([firstByte]), length, Buffer.alloc(4), bytes]);
}
