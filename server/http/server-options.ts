import type { FastifyServerOptions } from "fastify";
import { answerError } from "./errors.ts";

/** The longest path parameter: a user id of 128 characters, each of up to 12 when percent-encoded. */
const MAX_PARAM_LENGTH = 128 * 12;

/** What the routes here need of the server they are registered on; to be spread into the argument of `Fastify()`. */
export function serverOptions(maxFrameBytes: number) {
  return {
    bodyLimit: maxFrameBytes,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
    // A path that is no path never reaches a route, nor the error handler.
    frameworkErrors: answerError,
  } satisfies FastifyServerOptions;
}
