import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { Connection } from "../../server/transport/connection.ts";
import type { ConnectionHandler } from "../../server/transport/handler.ts";
import { Outbox } from "../../server/transport/outbox.ts";
import { ConnectionRegistry } from "../../server/transport/registry.ts";
import { type Transport, zeroCounters } from "../../server/transport/transport.ts";

export { turn };

/** A consumer that writes down what it is told, and does what `onReceive` says. */
export class RecordingHandler implements ConnectionHandler {
  readonly received: string[] = [];
  readonly closes: { code: number; reason: string }[] = [];
  onReceive: (text: string) => void | Promise<void> = () => {};
  onControl: () => number = () => 0;
  readonly whenClosed: Promise<void>;
  #resolveClosed: () => void = () => {};

  constructor() {
    this.whenClosed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  receive(text: string): void | Promise<void> {
    this.received.push(text);
    return this.onReceive(text);
  }

  receiveBinary(): void | Promise<void> {
    return this.receive("<binary>");
  }

  receiveControl(): number {
    return this.onControl();
  }

  closed(code: number, reason: string): void {
    this.closes.push({ code, reason });
    this.#resolveClosed();
  }
}

/** The server's end of one socket. */
export interface Accepted {
  readonly connection: Connection;
  readonly handler: RecordingHandler;
  readonly webSocket: WebSocket;
  readonly socket: Socket;
}

/** A WebSocket server on loopback whose sockets are connections with a recording consumer. */
export class LoopbackServer {
  readonly clock = { now: 1_700_000_000_000 };
  readonly log = { debug: vi.fn(), info: vi.fn(), error: vi.fn() };
  readonly transport: Transport;
  expiresAt: number | null = null;
  readonly #server: WebSocketServer;
  /** By the path of the upgrade request, which is another for each client. */
  readonly #awaited = new Map<string, (accepted: Accepted) => void>();
  #clients = 0;

  private constructor(server: WebSocketServer, limits: Partial<Transport["limits"]>) {
    this.#server = server;
    this.transport = {
      limits: { maxBufferedBytes: 1_048_576, maxWaitingFrames: 64, maxWaitingBytes: 2 ** 31, ...limits },
      log: this.log,
      counters: zeroCounters(),
      outbox: new Outbox(),
      connections: new ConnectionRegistry(),
      now: () => this.clock.now,
    };
    server.on("connection", (webSocket, request) => {
      const handler = new RecordingHandler();
      const { socket } = request;
      const connection = new Connection({
        webSocket,
        socket,
        transport: this.transport,
        handler,
        expiresAt: this.expiresAt,
        logFields: { user: "alice" },
      });
      this.#awaited.get(request.url ?? "")?.({ connection, handler, webSocket, socket });
    });
  }

  static async start(limits: Partial<Transport["limits"]> = {}): Promise<LoopbackServer> {
    const server = new WebSocketServer({
      port: 0,
      host: "127.0.0.1",
      perMessageDeflate: false,
      autoPong: false,
      maxPayload: 65_536,
    });
    await once(server, "listening");
    return new LoopbackServer(server, limits);
  }

  /** A URL for one client, and the server's end of that client's socket. */
  #expectClient(): { url: string; accepted: Promise<Accepted> } {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("not listening on a port");
    this.#clients += 1;
    const path = `/${this.#clients}`;
    const accepted = new Promise<Accepted>((resolve) => this.#awaited.set(path, resolve));
    return { url: `ws://127.0.0.1:${address.port}${path}`, accepted };
  }

  /** A client and the server's end of it, still opening. */
  async openingPair(): Promise<Accepted & { client: Client }> {
    const { url, accepted } = this.#expectClient();
    const client = new Client(url);
    await client.opened;
    return { ...(await accepted), client };
  }

  async openPair(): Promise<Accepted & { client: Client }> {
    const pair = await this.openingPair();
    pair.connection.opened();
    return pair;
  }

  /** A peer that answers nothing and says what RFC 6455 forbids, with the server's end of it, open. */
  async rawPair(): Promise<Accepted & { peer: RawPeer }> {
    const { url, accepted } = this.#expectClient();
    const peer = new RawPeer(new URL(url));
    await peer.upgraded;
    const serverEnd = await accepted;
    serverEnd.connection.opened();
    return { ...serverEnd, peer };
  }

  async stop(): Promise<void> {
    for (const webSocket of this.#server.clients) webSocket.terminate();
    this.#server.close();
    await once(this.#server, "close");
  }
}

export class Client {
  readonly webSocket: WebSocket;
  readonly frames: string[] = [];
  readonly opened: Promise<unknown>;
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(url: string) {
    this.webSocket = new WebSocket(url, { maxPayload: 8 * 1_048_576 });
    this.opened = once(this.webSocket, "open");
    this.webSocket.on("message", (data) => this.frames.push(data.toString()));
    this.closed = new Promise((resolve) => {
      this.webSocket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  /** All frames so far, once there are `count`. */
  async framesOnceThereAre(count: number): Promise<string[]> {
    while (this.frames.length < count) await once(this.webSocket, "message");
    return this.frames;
  }
}

export class RawPeer {
  readonly socket: Socket;
  readonly upgraded: Promise<void>;
  /** What came after the answer to the handshake. */
  bytes = Buffer.alloc(0);

  constructor({ hostname, port, pathname }: URL) {
    this.socket = connect(Number(port), hostname);
    this.socket.write(
      `GET ${pathname} HTTP/1.1\r\n` +
        "Host: loopback\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    this.socket.on("data", (chunk) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
    });
    this.upgraded = this.#answered();
  }

  async #answered(): Promise<void> {
    const end = "\r\n\r\n";
    while (!this.bytes.includes(end)) await once(this.socket, "data");
    this.bytes = this.bytes.subarray(this.bytes.indexOf(end) + end.length);
  }

  async bytesOnceThereAre(count: number): Promise<Buffer> {
    while (this.bytes.length < count) await once(this.socket, "data");
    return this.bytes;
  }
}

/** A client's frame, masked with zeros, which leaves the payload as it is. `firstByte`: FIN, reserved bits, opcode. */
export function clientFrame(firstByte: number, payload: Buffer): Buffer {
  if (payload.length > 125) throw new Error("longer than these tests need");
  return Buffer.concat([Buffer.from([firstByte, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
