/** What every workload is to the run. */
import type { Surroundings } from "./client-socket.ts";
import type { Latency, Plan } from "./plan.ts";
import type { Targets } from "./targets.ts";

/** How many sockets are being opened at any moment. */
export const CONCURRENT_OPENINGS = 64;

export interface Load {
  /** Resolves when every socket is open. */
  open(): Promise<void>;
  /** Begins the traffic. */
  begin(): void;
  /** Where the work has an end of its own: resolves with it, and measuring ends; else it ends when the plan says. */
  finished?(): Promise<void>;
  /** Nothing is sent from now on. */
  stop(): void;
  /** How many frames are still to come. */
  readonly outstanding: number;
  /** Says what was wrong over the whole run; called once, when nothing is outstanding or too long was waited. */
  check(): void;
  /** Of each user, where the plan measures users; else empty. */
  readonly latencies: readonly Latency[];
  close(): Promise<void>;
}

/** What a workload is made with. */
export interface Setting extends Surroundings {
  readonly plan: Plan;
  readonly targets: Targets;
}
