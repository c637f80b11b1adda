import type { FastifyHttpOptions, FastifyReply, FastifyRequest, RawServerDefault } from "fastify";
import { answerError } from "./errors.ts";
import { answerMalformedRequest, MAX_HEADER_BYTES } from "./malformed-requests.ts";

/** The longest path parameter: a username of 150 characters, each of up to 12 when percent-encoded. */
const MAX_PARAM_LENGTH = 150 * 12;

/** In milliseconds, so that a slow client holds nothing for long. Sockets have their own watch, the heartbeat. */
export interface Timeouts {
  /** From a connection's first moment, or the last answer on it, until the headers of a request are there. */
  readonly headers: number;
  /** Until all of it is. */
  readonly request: number;
  /** Without a byte either way while a request is being made or answered: the client takes nothing in. */
  readonly inactivity: number;
  /** Between requests. Longer than proxies keep idle connections, so that they are the ones to close them. */
  readonly keepAlive: number;
  /** Between looks at the first two, which therefore come so much later at most. */
  readonly check: number;
}

export const TIMEOUTS: Timeouts = {
  headers: 10_000,
  request: 30_000,
  inactivity: 60_000,
  keepAlive: 75_000,
  check: 1_000,
};

/** What the routes here need of the server they are registered on; to be spread into the argument of `Fastify()`. */
export function serverOptions(maxFrameBytes: number, timeouts = TIMEOUTS) {
  return {
    bodyLimit: maxFrameBytes,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
    // What still comes while it closes is answered like the rest, and every connection is closed when nothing is in flight.
    return503OnClosing: false,
    forceCloseConnections: true,
    requestTimeout: timeouts.request,
    connectionTimeout: timeouts.inactivity,
    keepAliveTimeout: timeouts.keepAlive,
    http: {
      headersTimeout: timeouts.headers,
      connectionsCheckingInterval: timeouts.check,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    clientErrorHandler: answerMalformedRequest,
    // A path that is no path never reaches a route, nor the error handler.
    frameworkErrors: answerAndEnd,
  } satisfies FastifyHttpOptions<RawServerDefault>;
}

/** Of an upgrade request's connection nobody else would take care: no hook runs here, and Node has let go of it. */
function answerAndEnd(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { socket, headers } = request.raw;
  if (headers.upgrade === undefined) return answerError(error, request, reply);
  reply.raw.once("finish", () => socket.destroySoon());
  return answerError(error, request, reply.header("connection", "close"));
}
