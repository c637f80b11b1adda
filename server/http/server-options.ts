import type { FastifyReply, FastifyRequest, FastifyServerOptions } from "fastify";
import { answerError } from "./errors.ts";

/** The longest path parameter: a username of 150 characters, each of up to 12 when percent-encoded. */
const MAX_PARAM_LENGTH = 150 * 12;

/** What the routes here need of the server they are registered on; to be spread into the argument of `Fastify()`. */
export function serverOptions(maxFrameBytes: number) {
  return {
    bodyLimit: maxFrameBytes,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
    // A path that is no path never reaches a route, nor the error handler.
    frameworkErrors: answerAndEnd,
  } satisfies FastifyServerOptions;
}

/** Of an upgrade request's connection nobody else would take care: no hook runs here, and Node has let go of it. */
function answerAndEnd(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { socket, headers } = request.raw;
  if (headers.upgrade === undefined) return answerError(error, request, reply);
  reply.raw.once("finish", () => socket.destroySoon());
  return answerError(error, request, reply.header("connection", "close"));
}
