import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { ConnectionHandler } from "./handler.ts";
import type { Transport } from "./transport.ts";

export interface ConnectionOptions {
  readonly webSocket: WebSocket;
  /** The socket under `webSocket`: that of the upgrade request. */
  readonly socket: Socket;
  readonly transport: Transport;
  readonly handler: ConnectionHandler;
  /** When its token runs out, in milliseconds since the epoch; null: never. */
  readonly expiresAt: number | null;
  /** Stand in every log line about this connection: the user, the path. */
  readonly logFields: object;
}
