/** From an upgrade request to a consumer on a connection: who is speaking is settled before any socket exists. */
import type {} from "@fastify/swagger";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import type { Authenticator } from "./auth/authenticator.ts";
import { readToken } from "./auth/handshake.ts";
import { type AllowedOrigins, checkOrigin, mayUseCookie } from "./auth/origin.ts";
import { type Speaker, speakerOf } from "./auth/speaker.ts";
import { Unauthorized } from "./auth/unauthorized.ts";
import type { ConsumerServices } from "./consumers/consumer.ts";
import { costs } from "./core/costs.ts";
import { Refusal } from "./core/errors.ts";
import { Notices } from "./notices.ts";
import type { SocketRoute } from "./routing.ts";
import { Connection } from "./transport/connection.ts";
import type { Transport } from "./transport/transport.ts";

export interface SocketOptions {
  readonly routes: readonly SocketRoute[];
  readonly services: ConsumerServices;
  readonly transport: Transport;
  readonly authenticate: Authenticator;
  readonly allowedOrigins: AllowedOrigins;
  /** Aborted when the server begins to stop. */
  readonly stopping: AbortSignal;
}

interface Admission {
  readonly speaker: Speaker;
  readonly reply: FastifyReply;
}

/** Between the hook that authenticates and the handler that opens the socket. */
const admissions = new WeakMap<FastifyRequest, Admission>();

export function registerSockets(app: FastifyInstance, options: SocketOptions): void {
  const notices = new Notices(app.log);
  const paths = new Set(options.routes.map((route) => route.path));
  app.addHook("onRequest", async (request, reply) => {
    if (!request.ws) return;
    // Whoever is refused: the plugin ends the connection after the answer.
    reply.header("connection", "close");
    if (options.stopping.aborted) throw new Refusal("unavailable", "this node is stopping, try another");
    // The plugin would open a socket on any path, only to close it.
    if (!paths.has(request.routeOptions.url ?? "")) throw new Refusal("not_found", "no socket here");
  });
  for (const route of options.routes) {
    app.route({
      method: "GET",
      url: route.path,
      schema: { hide: true },
      preValidation: (request, reply) => settleSpeaker(request, reply, options, notices),
      handler: (_request, reply) => {
        const reason = "a plain request for a socket: a proxy on its way has to hand on Upgrade and Connection";
        notices.tell("info", "426", { path: route.path }, reason);
        return reply.code(426).header("upgrade", "websocket").send(UPGRADE_REQUIRED);
      },
      wsHandler: (webSocket, request) => accept(route, webSocket, request, options),
    });
  }
}

/** UTF-16 units. */
const MAX_LOGGED_ORIGIN = 256;

const UPGRADE_REQUIRED = {
  error: { code: "invalid_frame", message: "this path speaks WebSocket: send an upgrade request" },
};

async function settleSpeaker(
  request: FastifyRequest,
  reply: FastifyReply,
  options: SocketOptions,
  notices: Notices,
): Promise<void> {
  if (!request.ws) return;
  if (!checkOrigin(request.raw, options.allowedOrigins)) {
    const { origin = "", host } = request.headers;
    const cause = origin.slice(0, MAX_LOGGED_ORIGIN);
    notices.tell(
      "warn",
      cause,
      { origin: cause, host },
      "a page was refused a socket for its origin: see ALLOWED_ORIGINS",
    );
    throw new Refusal("forbidden", "this origin may not open sockets here; see ALLOWED_ORIGINS");
  }
  const found = readToken(request.raw);
  if (found === null) throw new Unauthorized("a token is needed");
  if (found.source === "cookie" && !mayUseCookie(request.raw, options.allowedOrigins)) {
    throw new Unauthorized("a token is needed: with ALLOWED_ORIGINS=* the cookie is none for pages of other origins");
  }
  const { authenticate, services } = options;
  const { users, commandRate } = services.core;
  const speaker = await speakerOf(found.token, { authenticate, users, commandRate }, costs.opening);
  admissions.set(request, { speaker, reply });
}

/** Synchronous up to the connection's listeners: not a frame is lost. */
function accept(route: SocketRoute, webSocket: WebSocket, request: FastifyRequest, options: SocketOptions): void {
  const admission = admissions.get(request);
  if (admission === undefined) throw new Error("a socket without a speaker");
  const { speaker, reply } = admission;
  const { socket } = request.raw;
  const { services, transport } = options;
  const { pathname, searchParams } = new URL(request.url, "ws://path");
  services.profiles.seen(speaker.profile);
  const consumer = new route.consumer(services, {
    get profile() {
      return services.profiles.current(speaker.profile);
    },
    params: copyOf(request.params as Record<string, string>),
    since: searchParams.get("since"),
  });
  // The connection brings its own error listener. The plugin's, and the answer that nobody will write to this socket any
  // more, would keep the request and all its headers for as long as the socket lives: more than all the rest of it.
  webSocket.removeAllListeners("error");
  reply.raw.detachSocket(socket);
  const connection = new Connection({
    webSocket,
    socket,
    transport,
    handler: consumer,
    expiresAt: speaker.expiresAt,
    logFields: { ...copyOf({ path: pathname }), user: speaker.profile.id },
  });
  consumer.start(connection);
}

/** A part of a string keeps the whole of it: here the URL, with the token in it. */
function copyOf<Strings extends Record<string, string>>(strings: Strings): Strings {
  return structuredClone(strings);
}
