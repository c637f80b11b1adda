/** How a server stops: in which order, and how long each part may take. */
import type { FastifyInstance } from "fastify";
import type { ChannelLayer } from "./channel-layer/layer.ts";
import type { Store } from "./core/store.ts";
import type { Writer } from "./core/writer.ts";
import type { RequestsInFlight } from "./http/requests-in-flight.ts";
import type { Upgrades } from "./http/upgrades.ts";
import { sayFarewell } from "./transport/farewell.ts";
import type { Heartbeat } from "./transport/heartbeat.ts";
import type { Hub } from "./transport/hub.ts";
import type { LiveProfiles } from "./transport/live-profiles.ts";
import type { RoomPresences } from "./transport/presence.ts";
import type { ConnectionRegistry } from "./transport/registry.ts";
import type { SeenMarks } from "./transport/seen-marks.ts";

/** Milliseconds that an HTTP request may take to its end once the sockets are gone. */
const REQUEST_DEADLINE = 2_000;

export interface ShutdownParts {
  readonly app: FastifyInstance;
  readonly requests: RequestsInFlight;
  readonly upgrades: Upgrades;
  /** The server of the operator's routes, where they have one of their own. */
  readonly operations: FastifyInstance | null;
  /** Aborted at once: from then on no socket is opened, and the node says that it is not ready. */
  readonly stopping: AbortController;
  readonly connections: ConnectionRegistry;
  /** Milliseconds over which the sockets are closed. */
  readonly duration: number;
  readonly writer: Pick<Writer, "settled">;
  readonly seenMarks: SeenMarks;
  readonly heartbeat: Heartbeat;
  readonly hub: Hub;
  readonly presences: RoomPresences;
  readonly profiles: LiveProfiles;
  readonly layer: ChannelLayer;
  readonly store: Store;
}

/** Prepares it; the function that it gives shuts down, once, however often it is called. */
export function prepareShutdown(parts: ShutdownParts): () => Promise<void> {
  const { requests, upgrades } = parts;
  // Then fastify closes every connection. Those without a request would otherwise be waited for: browsers open some ahead
  // of need, and Node counts them among the busy ones.
  parts.app.addHook("preClose", async () => {
    await requests.answered(REQUEST_DEADLINE);
    // Node knows nothing of these, and would wait for them.
    upgrades.end();
  });
  let down: Promise<void> | null = null;
  return () => {
    down ??= shutDown(parts);
    return down;
  };
}

async function shutDown({ stopping, connections, duration, writer, app, ...parts }: ShutdownParts): Promise<void> {
  stopping.abort();
  // The load balancer still finds the node, and hears from it that it should go elsewhere.
  await sayFarewell({ connections, duration, settled: () => writer.settled() });
  await app.close();
  await parts.operations?.close();
  await writer.settled();
  await parts.seenMarks.idle();
  parts.heartbeat.stop();
  parts.hub.close();
  parts.presences.close();
  parts.profiles.close();
  await parts.layer.close();
  await parts.store.close();
}
