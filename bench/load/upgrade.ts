/** The opening handshake, by hand. Source: RFC 6455, 4.1. */
import { createHash, randomBytes } from "node:crypto";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const HEAD_END = Buffer.from("\r\n\r\n");
/** Bytes. */
const MAX_HEAD = 16_384;

export class Upgrade {
  readonly request: string;
  readonly #accept: string;
  #answer = Buffer.alloc(0);

  /** `host` with its port. */
  constructor(host: string, path: string, headers: Readonly<Record<string, string>>) {
    const key = randomBytes(16).toString("base64");
    this.#accept = createHash("sha1")
      .update(key + GUID)
      .digest("base64");
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: ${host}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${key}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    this.request = `${lines.join("\r\n")}\r\n\r\n`;
  }

  /** The bytes that follow the answer's head; null while it has not come whole. @throws Error: the server refused. */
  read(bytes: Buffer): Buffer | null {
    this.#answer = Buffer.concat([this.#answer, bytes]);
    const end = this.#answer.indexOf(HEAD_END);
    if (end === -1) {
      if (this.#answer.length > MAX_HEAD) throw new Error("the answer to the handshake has no end");
      return null;
    }
    const head = this.#answer.toString("latin1", 0, end);
    if (!/^HTTP\/1\.1 101 /.test(head)) {
      throw new Error(`the handshake was refused: ${this.#answer.toString("utf8", 0, 1000).replaceAll(/\s+/g, " ")}`);
    }
    const accept = /^sec-websocket-accept:\s*(\S+)\s*$/im.exec(head)?.[1];
    if (accept !== this.#accept) throw new Error("the handshake's answer is to another key");
    return this.#answer.subarray(end + HEAD_END.length);
  }
}
