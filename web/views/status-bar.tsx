/** How the connection is, when it is not well: the room's in view, otherwise that of the list. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ConnectionState } from "../../client/index.ts";
import { plural } from "../words.ts";
import { useWorkspace } from "../workspace.ts";

const TOO_MANY = 4429;
/** Not a member, no such room. */
const NOTHING_TO_TRY: ReadonlySet<number> = new Set([4403, 4404]);

/** How long connecting may take before there is word of it, in ms: usually it is over by then. */
const UNREMARKABLE = 800;

export function StatusBar() {
  const { rooms, live } = useWorkspace();
  const state = (rooms.current.value ?? live).state.value;
  const { messages, changes } = rooms.waiting.value;
  const isSlow = useIsLasting(state.name === "connecting", UNREMARKABLE);
  const isShown = useIsTroubled(state) || isSlow;
  return (
    <div class="status-bar" role="status" aria-label="Connection" data-state={isShown ? state.name : "well"}>
      {isShown && <StatusText state={state} />}
      {isShown && messages > 0 && <span>{plural(messages, "message waits", "messages wait")} to be sent.</span>}
      {isShown && changes > 0 && <span>{plural(changes, "change waits", "changes wait")} to be made.</span>}
      {isShown && state.name === "waiting" && <TryNow at={state.nextAttemptAt} />}
      {state.name === "closed" && <OpenAgain code={state.why.code} />}
    </div>
  );
}

function StatusText({ state }: { state: ConnectionState }) {
  switch (state.name) {
    case "connecting":
      return <span>Connecting…</span>;
    case "waiting":
      if (state.why.code === TOO_MANY) return <TooMany />;
      return <span>No connection{reasonOf(state.why)}.</span>;
    case "closed":
      if (state.why.code === TOO_MANY) return <TooMany />;
      return (
        <span>
          Closed: {state.why.reason} ({state.why.code}).
        </span>
      );
    case "open":
      return null;
  }
}

/** The library's advice to developers is shown as it is, but for the address of the server: the page knows no other. */
function reasonOf({ reason }: { reason: string }): string {
  const words = reason.replace(/^the server was not reached: see `url`$|: see `url`$/, "");
  return words === "" ? "" : ` (${words})`;
}

/** Every tab has sockets of its own, and the server admits so many of one person. */
function TooMany() {
  return <span>Too many tabs are open as you. Close one, and try again.</span>;
}

/** Where nothing else is tried: the room is opened anew. Who is not in it any more has nothing to try. */
function OpenAgain({ code }: { code: number }) {
  const { rooms } = useWorkspace();
  if (rooms.current.value === null || NOTHING_TO_TRY.has(code)) return null;
  return (
    <button type="button" class="small" onClick={() => rooms.reopen()}>
      Try again
    </button>
  );
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
