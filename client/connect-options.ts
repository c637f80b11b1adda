import type { BackoffOptions } from "./backoff.ts";
import type { CloseReason } from "./close-codes.ts";
import type { HeartbeatOptions } from "./heartbeat.ts";
import type { ServerOptions } from "./server.ts";
import type { WebSocketConstructor } from "./web-socket.ts";

export interface WireFrame {
  readonly direction: "in" | "out";
  /** Of the socket, without its query. */
  readonly path: string;
  readonly text: string;
}

export interface ConnectOptions extends ServerOptions {
  /** Where there is no global one, as on Node 20: that of the package `ws`. */
  WebSocket?: WebSocketConstructor | undefined;
  /** Aborting it closes the connection. */
  signal?: AbortSignal | undefined;
  /** Told of every frame as it goes by, for a developer's eyes. */
  onWire?: ((frame: WireFrame) => void) | undefined;
  backoff?: BackoffOptions | undefined;
  heartbeat?: HeartbeatOptions | undefined;
}

export type ConnectionState =
  | { readonly name: "connecting" }
  /** Live, and caught up with what was missed. */
  | { readonly name: "open" }
  /** Milliseconds since 1970. */
  | { readonly name: "waiting"; readonly nextAttemptAt: number; readonly why: CloseReason }
  /** For good. */
  | { readonly name: "closed"; readonly why: CloseReason };
