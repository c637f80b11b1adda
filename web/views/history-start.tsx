import { useEffect, useRef } from "preact/hooks";
import type { History } from "../history.ts";
import type { OpenRoom } from "../open-room.ts";

/** Pixels above what is in view at which older messages are asked for. */
const AHEAD = 1_000;

/** What stands above the oldest message that is loaded: coming near to it brings older ones. */
export function HistoryStart({ room: { history, state }, box }: { room: OpenRoom; box: HTMLElement }) {
  const element = useRef<HTMLDivElement>(null);
  const { name } = history.state.value;
  useEffect(() => {
    if (name !== "partial" || element.current === null) return undefined;
    const options = { root: box, rootMargin: `${AHEAD}px 0px 0px` };
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) void history.loadOlder();
    }, options);
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [history, box, name]);
  return (
    <div ref={element} class="history-start">
      <HistoryText history={history} isClosed={state.value.name === "closed"} />
    </div>
  );
}

function HistoryText({ history, isClosed }: { history: History; isClosed: boolean }) {
  const state = history.state.value;
  switch (state.name) {
    case "loading":
      return <span>{isClosed ? "Not loaded: the conversation could not be opened." : "Loading…"}</span>;
    case "partial":
    case "loading_older":
      return <span>Older messages…</span>;
    case "complete":
      return <span>{history.timeline.value.blocks.length === 0 ? "No messages yet." : "The beginning"}</span>;
    case "failed":
      return (
        <span role="alert">
          The history could not be read: {state.why}{" "}
          <button type="button" class="small" onClick={() => history.retry()}>
            Try again
          </button>
        </span>
      );
  }
}
