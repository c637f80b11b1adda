import { setImmediate, setTimeout } from "node:timers/promises";
import type { Connection } from "./connection.ts";
import type { ConnectionRegistry } from "./registry.ts";

/** Milliseconds between two lots of sockets. */
const STEP = 50;
/** Sockets a second that other nodes take without noticing: fewer are not spread any thinner. */
const UNNOTICED_RATE = 100;
/** How long a socket's last messages may take to be committed before it is closed without its acknowledgements. Milliseconds. */
const COMMIT_DEADLINE = 2_000;

export interface FarewellOptions {
  readonly connections: ConnectionRegistry;
  /** Milliseconds over which the sockets are closed, so that their clients do not all come back at once. */
  readonly duration: number;
  /** Resolves when everything that was handed to the writer so far was committed or refused, and told. */
  readonly settled: () => Promise<void>;
}

/**
 * Closes every socket with 1012, in even lots, oldest first. Each hears what became of all it was heard saying before its
 * close frame; what comes later is not acted on. Sockets that are opened meanwhile are closed at the end. Resolves when none
 * is left, which takes no longer than the duration, the commits and a close handshake may: `CLOSE_DEADLINE`.
 */
export async function sayFarewell({ connections, duration, settled }: FarewellOptions): Promise<void> {
  const present = [...connections];
  const lots = Math.max(1, Math.ceil(duration / STEP));
  const lotSize = Math.max(Math.ceil(present.length / lots), (UNNOTICED_RATE * STEP) / 1_000);
  const leaving: Promise<void>[] = [];
  for (let first = 0; first < present.length; first += lotSize) {
    if (first > 0 && duration > 0) await setTimeout(STEP);
    leaving.push(dismiss(present.slice(first, first + lotSize), settled));
  }
  await Promise.all(leaving);
  await connections.closeAll("restarting");
}

async function dismiss(lot: readonly Connection[], settled: () => Promise<void>): Promise<void> {
  const finished = Promise.all(lot.map((connection) => connection.stopReceiving())).then(settled);
  await Promise.race([finished, setTimeout(COMMIT_DEADLINE, undefined, { ref: false })]);
  // An acknowledgement follows its commit by some turns of promises.
  await setImmediate();
  for (const connection of lot) connection.close("restarting");
}
