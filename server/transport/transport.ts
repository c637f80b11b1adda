import type { Outbox } from "./outbox.ts";
import type { ConnectionRegistry } from "./registry.ts";

export interface TransportLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface TransportLimits {
  /** Unsent bytes of one socket above which it is closed as too slow. */
  readonly maxBufferedBytes: number;
  /**
   * Frames of one socket that wait for the consumer, and their bytes, before reading from it pauses. What one read brought
   * (64 KiB at most) is handed over whole, so that this much more may wait.
   */
  readonly maxWaitingFrames: number;
  readonly maxWaitingBytes: number;
}

/** What the connections of a server did, since its start. */
export interface TransportCounters {
  framesReceived: number;
  framesSent: number;
  bytesSent: number;
  socketWrites: number;
  /** Closed because they did not read what they were sent. */
  slowReaders: number;
  /** Cut because two pings went unanswered. */
  silentPeers: number;
}

export function zeroCounters(): TransportCounters {
  return { framesReceived: 0, framesSent: 0, bytesSent: 0, socketWrites: 0, slowReaders: 0, silentPeers: 0 };
}

/** What all connections of a server share. */
export interface Transport {
  readonly limits: TransportLimits;
  readonly log: TransportLog;
  readonly counters: TransportCounters;
  readonly outbox: Outbox;
  readonly connections: ConnectionRegistry;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
