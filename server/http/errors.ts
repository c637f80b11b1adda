/** How what went wrong becomes an answer: always the one error body, with the status of the catalogue. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { redactUrl } from "../auth/handshake.ts";
import { Unauthorized } from "../auth/unauthorized.ts";
import { LayerUnavailable } from "../channel-layer/layer.ts";
import { Refusal } from "../core/errors.ts";
import { Notices } from "../notices.ts";
import { type ErrorCode, errorCatalogue } from "../protocol/errors.ts";
import { setSecurityHeaders } from "./security-headers.ts";
import { InvalidRequest } from "./validation.ts";

interface Answer {
  readonly code: ErrorCode;
  readonly message: string;
  /** Milliseconds. */
  readonly retryAfter?: number | undefined;
}

/** Refusals over HTTP since the process started, of its every server, by code. */
export const refusalsMade: Partial<Record<ErrorCode, number>> = {};

export function installErrorAnswers(app: FastifyInstance): void {
  const notices = new Notices(app.log);
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, notices));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0];
    return send(reply, { code: "not_found", message: `no such route: ${request.method} ${path}` });
  });
}

/** `notices`: to say there what would otherwise be said once for each request. */
export function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  notices: Notices = new Notices(request.log),
): FastifyReply {
  const answer = answerOf(error);
  const { method, ip } = request;
  const context = { method, url: redactUrl(request.url) };
  if (!request.raw.complete && request.socket.destroyed) {
    request.log.debug({ ...context, err: error }, "a client went away before its request was whole");
  } else if (answer.code === "internal") {
    request.log.error({ err: error, ...context }, "a request failed");
  } else if (answer.code === "unavailable") {
    notices.tell("warn", answer.message, { err: error, ...context }, "a request could not be served");
  } else if (answer.code === "unauthorized") {
    // For whoever wonders why a client does not get in. Of one reason there may be many a second.
    notices.tell("info", answer.message, { address: ip, ...context }, `a caller was refused: ${answer.message}`);
  }
  return send(reply, answer);
}

function answerOf(error: unknown): Answer {
  if (error instanceof InvalidRequest) return { code: "invalid_frame", message: error.message };
  if (error instanceof Unauthorized) return { code: error.code, message: error.message };
  if (error instanceof Refusal && error.code !== "internal") return error;
  if (error instanceof LayerUnavailable) {
    return { code: "unavailable", message: "the channel layer did not answer; try again" };
  }
  return (isFastifyError(error) ? answerOfFastify(error) : null) ?? { code: "internal", message: "internal error" };
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && "code" in error && String(error.code).startsWith("FST_ERR_");
}

/** What Fastify refuses by itself. Null: a fault of ours. */
function answerOfFastify(error: FastifyError): Answer | null {
  switch (error.code) {
    case "FST_ERR_CTP_INVALID_JSON_BODY":
      return { code: "invalid_json", message: "the body is not JSON" };
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return { code: "invalid_json", message: "expected a body of Content-Type application/json" };
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return { code: "too_large", message: "the body is larger than MAX_FRAME_BYTES" };
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return { code: "invalid_frame", message: "the body's size is not what Content-Length says" };
    case "FST_ERR_BAD_URL":
      return { code: "invalid_frame", message: "path: its percent-encoding is not valid" };
    case "FST_ERR_ROUTE_MISSING_CONTENT_TYPE":
    case "FST_ERR_ROUTE_MISSING_CONTENT":
      // Fastify's checks of a QUERY (RFC 10008), which go before it finds that no route knows the method.
      return { code: "not_found", message: "no such route: QUERY" };
    case "FST_ERR_MAX_PARAM_LENGTH":
      return { code: "invalid_frame", message: "path: a part of it is longer than any id or name" };
    default:
      return null;
  }
}

/** Not through the route's response schema: an error has to be answered whatever the route declares. */
function send(reply: FastifyReply, { code, message, retryAfter }: Answer): FastifyReply {
  setSecurityHeaders(reply);
  refusalsMade[code] = (refusalsMade[code] ?? 0) + 1;
  if (code === "unauthorized") reply.header("www-authenticate", "Bearer");
  // RFC 9110, 10.2.3: whole seconds.
  if (retryAfter !== undefined) reply.header("retry-after", Math.ceil(retryAfter / 1000));
  return reply
    .code(errorCatalogue[code].status)
    .header("content-type", "application/json; charset=utf-8")
    .serializer(JSON.stringify)
    .send({ error: { code, message, ...(retryAfter === undefined ? {} : { retry_after: retryAfter }) } });
}
