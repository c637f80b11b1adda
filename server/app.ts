/** The composition root: the only place that names implementations. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import websocket from "@fastify/websocket";
import fastify, { type FastifyInstance, LogController } from "fastify";
import pretty from "pino-pretty";
import { rootFolder } from "../db/root-folder.ts";
import { Arrivals } from "./arrivals.ts";
import { type Authenticator, createAuthenticator } from "./auth/authenticator.ts";
import { askingSecret, developmentSecret } from "./auth/development-secret.ts";
import { selectSubprotocol } from "./auth/handshake.ts";
import { secretKey } from "./auth/keys.ts";
import type { Config } from "./config.ts";
import { RoomMembers } from "./consumers/room-members.ts";
import { Statuses } from "./consumers/statuses.ts";
import type { WorkCounters } from "./consumers/workload.ts";
import { createCore } from "./core/core.ts";
import { LargeReads } from "./core/large-reads.ts";
import { Outage } from "./core/outage.ts";
import type { Foundations } from "./foundations.ts";
import { limitConnections } from "./http/connections.ts";
import { answerBrokenHandshake } from "./http/malformed-requests.ts";
import { builtPage } from "./http/page.ts";
import { registerHttp, registerOperations } from "./http/register.ts";
import { RequestsInFlight } from "./http/requests-in-flight.ts";
import { serverOptions } from "./http/server-options.ts";
import type { HttpServices } from "./http/services.ts";
import { Upgrades } from "./http/upgrades.ts";
import { errorLogging } from "./log-errors.ts";
import { createMetrics } from "./metrics.ts";
import { newId } from "./new-id.ts";
import { Notices } from "./notices.ts";
import { username } from "./protocol/fields.ts";
import { socketRoutes } from "./routing.ts";
import { prepareShutdown } from "./shutdown.ts";
import { registerSockets } from "./sockets.ts";
import { startWarnings } from "./start-warnings.ts";
import { CLOSE_DEADLINE } from "./transport/connection.ts";
import { Heartbeat } from "./transport/heartbeat.ts";
import { Hub } from "./transport/hub.ts";
import { LiveProfiles } from "./transport/live-profiles.ts";
import { Outbox } from "./transport/outbox.ts";
import { RoomPresences } from "./transport/presence.ts";
import { ConnectionRegistry } from "./transport/registry.ts";
import { SeenMarks } from "./transport/seen-marks.ts";
import { SocketCounts } from "./transport/socket-counts.ts";
import { type Transport, type TransportCounters, zeroCounters } from "./transport/transport.ts";
import { UserFeeds } from "./transport/user-feeds.ts";

export { type Foundations, openFoundations } from "./foundations.ts";

export interface Server {
  readonly app: FastifyInstance;
  /** `http://host:port`, once `listen` has resolved. */
  readonly address: string;
  /** Of the operator's routes, where they have a port of their own. */
  readonly operationsAddress: string | null;
  readonly describe: Foundations["describe"];
  /** What `POST /api/dev/token` gives tokens for; null: a key is configured, and it gives none. */
  readonly developmentTokenSecret: string | null;
  /** Whether `/` is the web page. */
  readonly hasWebPage: boolean;
  /** What its sockets did since its start, as `/metrics` tells it, and never a second old. */
  readonly counters: Readonly<TransportCounters>;
  /** Finishes what is in flight, closes every socket with 1012 over SHUTDOWN_SECONDS, then what the server stands on. */
  close(): Promise<void>;
}

/** Frames of one socket that wait for its consumer before reading from it pauses. */
const MAX_WAITING_FRAMES = 64;
/** Their bytes, before the same. One frame of any size that is allowed may wait, whatever this is. */
const MAX_WAITING_BYTES = 65_536;
/** A client may send a message of MAX_FRAME_BYTES in fragments of so many bytes, and each frame in TCP segments of so many. */
const BYTES_OF_FRAGMENT = 512;
const BYTES_OF_CHUNK = 128;
const MIN_PARTS = 64;
/** How often what is listened to is compared with storage, and who is here with the channel layer's roster. */
const SWEEP_SECONDS = 5;
/** How often the profiles of those who have sockets here are compared with storage. */
const PROFILE_SWEEP_SECONDS = 30;

export async function startServer(
  config: Config,
  foundations: Foundations,
  app = createApp(config),
  builtInto = join(rootFolder(), "dist/web"),
): Promise<Server> {
  const { store, layer, isSwept } = foundations;
  const { log } = app;
  const secret = config.tokens === null ? await developmentSecret(config.dataDirectory) : null;
  const pageFolder = config.hasWebPage ? builtPage(builtInto, log) : null;
  const authenticate: Authenticator =
    config.tokens === null
      ? createAuthenticator({ key: secretKey(secret ?? ""), issuer: null, audience: null })
      : createAuthenticator(config.tokens);

  const hub = new Hub({ layer, store, log, sweepSeconds: isSwept ? SWEEP_SECONDS : null });
  const profiles = new LiveProfiles({
    layer,
    store,
    log,
    faults: hub.faults,
    sweepSeconds: isSwept ? PROFILE_SWEEP_SECONDS : null,
  });
  const openings = new Outage({
    log,
    begins: "sockets cannot be opened: the channel layer or storage does not answer",
    ends: "sockets can be opened again",
    calm: 1_000,
  });
  const core = createCore({
    store,
    sink: hub,
    limits: config,
    newId,
    isUsername: (text) => username.safeParse(text).success,
    onProfileChanged: (profile) => profiles.changed(profile),
  });
  const userFeeds = new UserFeeds({ hub, store, log });
  const transport: Transport = {
    limits: {
      maxBufferedBytes: config.maxBufferedBytes,
      maxWaitingFrames: MAX_WAITING_FRAMES,
      maxWaitingBytes: MAX_WAITING_BYTES,
    },
    log,
    counters: zeroCounters(),
    outbox: new Outbox(),
    connections: new ConnectionRegistry(),
    now: Date.now,
  };
  const { connections } = transport;
  const heartbeat = new Heartbeat({ connections, pingSeconds: config.pingSeconds, now: Date.now });
  const presences = new RoomPresences({
    layer,
    log,
    largeRoomMembers: config.largeRoomMembers,
    sizes: hub.sizes,
    faults: hub.faults,
    sweepSeconds: isSwept ? SWEEP_SECONDS : null,
  });
  const seenMarks = new SeenMarks(store, log);
  const stopping = new AbortController();
  const requests = RequestsInFlight.of(app.server);
  limitConnections(app.server, config, new Notices(log));
  for (const warning of startWarnings(config)) log.warn(warning);
  const upgrades = new Upgrades(app.server, requests, app.server.timeout);
  const operations = config.operations === null ? null : createApp(config);
  const close = prepareShutdown({
    app,
    requests,
    upgrades,
    operations,
    stopping,
    connections,
    duration: config.shutdownSeconds * 1_000,
    writer: core.writer,
    seenMarks,
    heartbeat,
    hub,
    presences,
    profiles,
    layer,
    store,
  });
  const roomMembers = new RoomMembers({
    conversations: core.conversations,
    log,
    largeRoomMembers: config.largeRoomMembers,
  });
  const work: WorkCounters = { commandsUnderWay: 0, framesRefused: 0 };
  const largeReads = new LargeReads({ pageBytes: config.maxPageBytes });
  const metrics = createMetrics({ transport, work, hub, userFeeds, presences, roomMembers, largeReads });

  // Not a literal in the call, because the types of ws do not know `closeTimeout` (ms) yet.
  const socketOptions = {
    server: upgrades.handshakes,
    maxPayload: config.maxFrameBytes,
    // An unfinished message costs by its parts, however few bytes are in them.
    maxFragments: Math.max(MIN_PARTS, Math.ceil(config.maxFrameBytes / BYTES_OF_FRAGMENT)),
    maxBufferedChunks: Math.max(MIN_PARTS, Math.ceil(config.maxFrameBytes / BYTES_OF_CHUNK)),
    perMessageDeflate: false,
    // The connection answers pings, within the rate of its user.
    autoPong: false,
    handleProtocols: selectSubprotocol,
    closeTimeout: CLOSE_DEADLINE,
  };
  await app.register(websocket, {
    options: socketOptions,
    // Sockets are closed below, with a code that tells their clients to come back.
    preClose: (done) => done(),
  });
  app.websocketServer.on("wsClientError", answerBrokenHandshake);
  app.websocketServer.on("connection", (_webSocket, request) => upgrades.opened(request.socket));
  const httpServices: HttpServices = {
    ...core,
    authenticate,
    storage: store,
    channelLayer: layer,
    metrics,
    version: version(),
    maxMessageChars: config.maxMessageChars,
    maxPageBytes: config.maxPageBytes,
    allowedOrigins: config.allowedOrigins,
    arrivals: new Arrivals(config),
    maxRequestsPerAddress: config.maxRequestsPerAddress,
    hasOperationsElsewhere: operations !== null,
    trustedProxies: config.trustedProxies,
    apiKey: config.apiKey,
    developmentSecret: secret,
    pageFolder,
    largeReads,
    stopping: stopping.signal,
  };
  await registerHttp(app, httpServices);
  let operationsAddress: string | null = null;
  if (operations !== null && config.operations !== null) {
    registerOperations(operations, httpServices, () => app.swagger());
    // Before the others: whoever is asked for early says what is true.
    operationsAddress = await operations.listen(config.operations);
  }
  const socketCounts = new SocketCounts(layer, config.maxSocketsPerUser);
  registerSockets(app, {
    routes: socketRoutes,
    services: {
      core,
      hub,
      userFeeds,
      presences,
      socketCounts,
      seenMarks,
      roomMembers,
      statuses: new Statuses({ core, socketCounts }),
      work,
      profiles,
      openings,
      largeReads,
      limits: config,
      log,
    },
    transport,
    authenticate,
    allowedOrigins: config.allowedOrigins,
    stopping: stopping.signal,
  });
  return {
    app,
    get address() {
      const address = app.server.address();
      if (address === null || typeof address === "string") throw new Error("the server does not listen yet");
      return `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
    },
    operationsAddress,
    describe: foundations.describe,
    developmentTokenSecret: secret === null ? null : askingSecret(secret),
    hasWebPage: pageFolder !== null,
    counters: transport.counters,
    close,
  };
}

function version(): string {
  return JSON.parse(readFileSync(join(rootFolder(), "package.json"), "utf8")).version;
}

/** Logs are JSON lines; in a developer's terminal they are lines for people. */
export function createApp(config: Config): FastifyInstance {
  const isForPeople = process.stdout.isTTY && config.environment === "development";
  return fastify({
    logger: {
      level: config.logLevel,
      ...errorLogging,
      ...(isForPeople && { stream: pretty({ ignore: "pid,hostname", sync: true }) }),
    },
    // A line for each request would drown the others, and a URL may carry a token.
    logController: new LogController({ disableRequestLogging: true }),
    ...serverOptions(config.maxFrameBytes),
    trustProxy: (address) => config.trustedProxies?.has(address) === true,
  });
}
