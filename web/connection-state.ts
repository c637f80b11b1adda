import { type ReadonlySignal, signal } from "@preact/signals";
import type { ConnectionState } from "../client/index.ts";

interface Stateful {
  readonly state: ConnectionState;
  onState(listener: (state: ConnectionState) => void): unknown;
}

/** The state of a connection as a signal. */
export function stateSignal(connection: Stateful): ReadonlySignal<ConnectionState> {
  const state = signal(connection.state);
  connection.onState((next) => {
    state.value = next;
  });
  return state;
}
