/** What the load generator is told to do, and what it says of it. Both cross a process boundary as JSON over IPC. */

/** How the servers under load speak: this server's channels dialect, which the `ws` peers speak too, or Socket.IO. */
export type Wire = "channels" | "socket.io";

export type Workload =
  /** `sockets` users in one group; `inFlight` messages are on their way at any moment, each from a sender of its own. */
  | { readonly kind: "room"; readonly sockets: number; readonly inFlight: number }
  /** Direct conversations; each user has a room socket and sends with `inFlight` on their way; `badges`: and a badge socket. */
  | { readonly kind: "pairs"; readonly pairs: number; readonly inFlight: number; readonly badges: boolean }
  /** One direct conversation, of which one side sends, one message at a time. */
  | { readonly kind: "single" }
  /** Badge sockets of as many users, on which nothing happens. */
  | { readonly kind: "idle"; readonly sockets: number }
  /** The same, until the traffic begins: then all are cut, and opened again, `atOnce` at a time. Has no fixed duration. */
  | { readonly kind: "storm"; readonly sockets: number; readonly atOnce: number }
  /** Badge sockets of the users in turn, one after the other: opened, its first frame awaited, closed. */
  | { readonly kind: "open"; readonly users: readonly { readonly user: string; readonly unread: number }[] };

export interface Plan {
  readonly wire: Wire;
  /** Base URLs such as `http://127.0.0.1:8000`; sockets are dealt out over them in turn. */
  readonly servers: readonly string[];
  /** Signs the users' HS256 tokens. */
  readonly secret: string;
  /** Begins the name of every user and group, so that runs on one server do not meet. Letters, digits and `-`. */
  readonly prefix: string;
  readonly workload: Workload;
  /** Milliseconds of traffic before measuring begins. */
  readonly warmUp: number;
  /** Milliseconds of traffic that are measured; of `storm` nothing, as it is measured until its end. */
  readonly measure: number;
}

/** Runner to load generator. `go`: begin the traffic, after `ready`. `stop`: close everything, after `done`. */
export type Order =
  | { readonly order: "plan"; readonly plan: Plan }
  | { readonly order: "go" }
  | { readonly order: "stop" };

/** Load generator to runner, in this order; the runner reads the servers' CPU at `measuring` and at `measured`. */
export type Report =
  | { readonly report: "ready" }
  | { readonly report: "measuring" }
  | { readonly report: "measured" }
  | { readonly report: "done"; readonly result: Result }
  | { readonly report: "failed"; readonly reason: string };

/** Milliseconds. */
export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Result {
  /** Milliseconds between `measuring` and `measured`. */
  readonly elapsed: number;
  /** Messages whose echo came while measuring. */
  readonly messages: number;
  /** Room frames with a message that came while measuring, over all sockets, the senders' too. */
  readonly deliveries: number;
  /** Badge frames that came while measuring. */
  readonly badges: number;
  /** From handing a message to its socket until its sender's echo; of `open`: from connecting until the first frame. */
  readonly latency: Latency;
  /**
   * Of `open`, the latency of each user in the order of the plan. Of `storm` one: from the cut until the first frame of
   * each socket; `max` is when all were open. Else empty.
   */
  readonly latencies: readonly Latency[];
  /** CPU seconds of the load generator's process for each second of measuring: at 1 it is the bottleneck. */
  readonly busy: number;
  /** What was found wrong over the whole run, warm-up and end included: lost, doubled, out of order, a wrong badge. */
  readonly faults: readonly string[];
}
