/** What is no HTTP, or no WebSocket handshake, is answered like any other refusal; then the connection ends. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { FastifyInstance, FastifyServerOptions } from "fastify";
import { type ErrorCode, errorCatalogue } from "../protocol/errors.ts";
import { RequestsInFlight } from "./requests-in-flight.ts";
import { securityHeaders } from "./security-headers.ts";

/** Bytes of a request line and its headers together; Node's own default. */
export const MAX_HEADER_BYTES = 16_384;

type ClientError = Parameters<NonNullable<FastifyServerOptions["clientErrorHandler"]>>[0];

/**
 * The server's `clientErrorHandler`. The error is not logged as it is: it has the bytes of the request on it, and a token
 * may be among them.
 */
export function answerMalformedRequest(this: FastifyInstance, error: ClientError, socket: Socket): void {
  // Browsers open connections ahead of need. An answer to nothing would pass for that of the request that comes next.
  const hasSaidNothing = socket.bytesRead === 0;
  if (error.code === "ECONNRESET" || !socket.writable || hasSaidNothing) {
    socket.destroy();
    return;
  }
  // Behind a request that says it is the connection's last nothing is looked at (RFC 9112, 9.6): its answer ends it.
  if (error.code === "HPE_CLOSED_CONNECTION") return;
  this.log.debug({ code: error.code }, "a malformed request");
  // In its turn: what was asked before it is answered before it.
  RequestsInFlight.of(this.server).whenIdle(socket, () => {
    if (socket.writable) answerAndEnd(socket, ...refusalOf(error.code));
  });
}

function refusalOf(code: string): [ErrorCode, string] {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return ["too_large", `the request line and headers are larger than ${MAX_HEADER_BYTES} bytes`];
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return ["invalid_frame", "the request did not arrive whole in time"];
    default:
      return ["invalid_frame", "this is no HTTP request"];
  }
}

/** The listener of `wsClientError`: who speaks may do so, but the handshake is not as RFC 6455, 4.2.1 asks for. */
export function answerBrokenHandshake(error: Error, socket: Duplex): void {
  answerAndEnd(socket, "invalid_frame", error.message, { "sec-websocket-version": "13" });
}

function answerAndEnd(socket: Duplex, code: ErrorCode, message: string, more: Record<string, string> = {}): void {
  const { status } = errorCatalogue[code];
  const body = JSON.stringify({ error: { code, message } });
  const headers = Object.entries({
    ...securityHeaders(null),
    ...more,
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    connection: "close",
  });
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
}
