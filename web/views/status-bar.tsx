/** How the connection is, when it is not well: the room's in view, otherwise that of the list. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ConnectionState } from "../../client/index.ts";
import { plural } from "../words.ts";
import { useWorkspace } from "../workspace.ts";

/** How long connecting may take before there is word of it, in ms: usually it is over by then. */
const UNREMARKABLE = 800;

export function StatusBar() {
  const { rooms, live } = useWorkspace();
  const state = (rooms.current.value ?? live).state.value;
  const waiting = rooms.waiting.value;
  const isSlow = useIsLasting(state.name === "connecting", UNREMARKABLE);
  const isShown = useIsTroubled(state) || isSlow;
  return (
    <div class="status-bar" role="status" aria-label="Connection" data-state={isShown ? state.name : "well"}>
      {isShown && <StatusText state={state} />}
      {isShown && waiting > 0 && <span>{plural(waiting, "message waits", "messages wait")} to be sent.</span>}
      {isShown && state.name === "waiting" && <TryNow at={state.nextAttemptAt} />}
    </div>
  );
}

function StatusText({ state }: { state: ConnectionState }) {
  switch (state.name) {
    case "connecting":
      return <span>Connecting…</span>;
    case "waiting":
      return <span>No connection{state.why.reason === "" ? "" : ` (${state.why.reason})`}.</span>;
    case "closed":
      return (
        <span>
          Closed: {state.why.reason} ({state.why.code}).
        </span>
      );
    case "open":
      return null;
  }
}

function TryNow({ at }: { at: number }) {
  const workspace = useWorkspace();
  const now = useNow();
  return (
    <>
      {/* Every second a new text: not for those who are read all of it. */}
      <span aria-hidden="true" class="countdown">
        Next attempt in {Math.max(0, Math.ceil((at - now) / 1_000))} s.
      </span>
      <button type="button" class="small" onClick={() => workspace.retry()}>
        Try now
      </button>
    </>
  );
}

/** The time, four times a second. */
function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** From the moment that a connection is lost until it is open again, through all attempts. */
function useIsTroubled({ name }: ConnectionState): boolean {
  const isTroubled = useRef(false);
  if (name !== "connecting") isTroubled.current = name !== "open";
  return isTroubled.current;
}

/** Whether `condition` has been true for that many ms. */
function useIsLasting(condition: boolean, duration: number): boolean {
  const [isLasting, setLasting] = useState(false);
  useEffect(() => {
    setLasting(false);
    if (!condition) return undefined;
    const timer = setTimeout(() => setLasting(true), duration);
    return () => clearTimeout(timer);
  }, [condition, duration]);
  return isLasting;
}
