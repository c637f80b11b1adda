import { memo } from "preact/compat";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { exactTimeText } from "../dates.ts";
import { frameName, prettyFrame, type WireEntry } from "../wire-log.ts";
import { useWorkspace } from "../workspace.ts";
import { IconButton } from "./icon.tsx";
import { WireForm } from "./wire-form.tsx";

/** The frames going by, and a form to send one's own. */
export function WirePanel() {
  const { console: wireConsole } = useWorkspace();
  return (
    <aside class="wire" aria-label="Wire">
      <header class="pane-header">
        <h2>Wire</h2>
        <IconButton icon="close" label="Close the wire" onClick={() => wireConsole.toggle()} />
      </header>
      <WireForm />
      <WireTools />
      <Frames />
    </aside>
  );
}

function WireTools() {
  const { wire } = useWorkspace();
  const isPaused = wire.isPaused.value;
  return (
    <div class="wire-tools">
      <label class="field grow">
        <span class="for-screen-readers">Path</span>
        <select
          value={wire.path.value ?? ""}
          onChange={(event) => {
            wire.path.value = event.currentTarget.value === "" ? null : event.currentTarget.value;
          }}
        >
          <option value="">All paths</option>
          {wire.paths.value.map((path) => (
            <option key={path} value={path}>
              {readablePath(path)}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        class="small"
        onClick={() => {
          wire.isPaused.value = !isPaused;
        }}
      >
        {isPaused ? "Continue" : "Pause"}
      </button>
      <button type="button" class="small" onClick={() => wire.clear()}>
        Clear
      </button>
    </div>
  );
}

/** Newest at the end, in view as long as the end is. */
function Frames() {
  const { wire } = useWorkspace();
  const list = useRef<HTMLOListElement>(null);
  const isAtEnd = useRef(true);
  const put = useRef(0);
  const frames = wire.shown.value;
  // Before anything else can happen: what is asked of the list below is asked of one that has settled.
  useLayoutEffect(() => {
    if (!isAtEnd.current || list.current === null) return;
    list.current.scrollTop = list.current.scrollHeight;
    put.current = list.current.scrollTop;
  });
  const moved = () => {
    if (list.current === null) return;
    const { scrollHeight, scrollTop, clientHeight } = list.current;
    const isNearEnd = scrollHeight - scrollTop - clientHeight < 24;
    isAtEnd.current = isNearEnd || (isAtEnd.current && scrollTop >= put.current);
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <ol ref={list} class="frames" aria-label="Frames" tabIndex={0} onScroll={moved}>
      {frames.map((entry) => (
        <Frame key={entry.number} entry={entry} />
      ))}
    </ol>
  );
}

const SOURCES = { room: "room", list: "list of conversations", badge: "badge", panel: "this panel" } as const;

const Frame = memo(({ entry }: { entry: WireEntry }) => {
  const [isOpen, setOpen] = useState(false);
  const { direction, path, text, at, source } = entry;
  return (
    <li>
      <details class={`frame ${direction}`} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <span class="frame-direction" title={direction === "in" ? "from the server" : "to the server"}>
            <span aria-hidden="true">{direction === "in" ? "↓" : "↑"}</span>
            <span class="for-screen-readers">{direction === "in" ? "received" : "sent"}</span>
          </span>
          <span class="frame-name">{frameName(text)}</span>
          <span class="frame-path" title={`${readablePath(path)} · ${SOURCES[source]}`}>
            {readablePath(path)}
          </span>
          <time class="frame-time">{exactTimeText(at)}</time>
          <span class="frame-text">{text.slice(0, 200)}</span>
        </summary>
        {isOpen && <pre>{prettyFrame(text)}</pre>}
      </details>
    </li>
  );
});

function readablePath(path: string): string {
  return decodeURI(path);
}
