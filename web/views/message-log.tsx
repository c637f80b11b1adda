import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { firstOf } from "../blocks.ts";
import { NearView } from "../near-view.ts";
import type { LogWish, OpenRoom } from "../open-room.ts";
import { ScrollKeeper } from "../scroll-keeper.ts";
import { plural } from "../words.ts";
import { HistoryStart } from "./history-start.tsx";
import { Icon } from "./icon.tsx";
import { MessageBlock } from "./message-block.tsx";
import { messageElementId } from "./message-view.tsx";
import { Name } from "./name.tsx";
import { OutboxMessages } from "./outbox-messages.tsx";

export function MessageLog({ room }: { room: OpenRoom }) {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const parts = useLogParts(room, box, content);
  const { blocks } = room.history.timeline.value;
  const first = firstOf(blocks)?.id ?? null;
  useKeptPlace(parts?.keeper ?? null, first);
  useWish(room.wish.value, parts?.keeper ?? null);

  return (
    <div class="log-frame">
      {/* New messages are told by the announcement alone: here, older ones and those that come back into view would be read too. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <div ref={box} class="log" role="log" aria-label="Messages" aria-live="off" tabIndex={0} onKeyDown={moveFocus}>
        <div ref={content} class="log-content">
          {parts !== null && (
            <>
              <HistoryStart room={room} box={parts.box} />
              {blocks.map((block, index) => (
                <MessageBlock
                  key={block.key}
                  room={room}
                  block={block}
                  previous={blocks[index - 1]?.messages.at(-1) ?? null}
                  nearView={parts.nearView}
                />
              ))}
              <OutboxMessages room={room} />
            </>
          )}
        </div>
      </div>
      <ToNewest room={room} />
      <Announcement room={room} />
    </div>
  );
}

/** The last message of another that came, for those who do not see it. */
function Announcement({ room }: { room: OpenRoom }) {
  const last = room.reading.announcement.value;
  return (
    <p class="for-screen-readers" aria-live="polite">
      {last !== null && (
        <>
          <Name>{last.sender}</Name>: <Name>{last.text}</Name>
        </>
      )}
    </p>
  );
}

interface LogParts {
  readonly box: HTMLElement;
  readonly nearView: NearView;
  readonly keeper: ScrollKeeper;
}

/** What needs the box itself; null until there is one. */
function useLogParts(
  room: OpenRoom,
  box: { current: HTMLElement | null },
  content: { current: HTMLElement | null },
): LogParts | null {
  const [parts, setParts] = useState<LogParts | null>(null);
  useLayoutEffect(() => {
    if (box.current === null || content.current === null) return undefined;
    const nearView = new NearView(box.current);
    const keeper = new ScrollKeeper(box.current, content.current, (isAtEnd) => {
      room.reading.isAtNewest.value = isAtEnd;
    });
    keeper.toEnd();
    setParts({ box: box.current, nearView, keeper });
    return () => {
      nearView.close();
      keeper.close();
    };
  }, [room, box, content]);
  return parts;
}

/** Older messages above leave in view what was in view; newer ones below come into view for those who are at the end. */
function useKeptPlace(keeper: ScrollKeeper | null, first: string | null): void {
  const lastFirst = useRef(first);
  const hasGrownAbove = lastFirst.current !== null && lastFirst.current !== first;
  // Measured while the page still shows what it showed before.
  const distance = hasGrownAbove ? keeper?.distance : undefined;
  useLayoutEffect(() => {
    lastFirst.current = first;
    if (distance !== undefined) keeper?.restore(distance);
    keeper?.settle();
  });
}

/** Milliseconds for which the message that was looked for stands out. */
const POINTED = 1_600;

function useWish(wish: LogWish | null, keeper: ScrollKeeper | null): void {
  useEffect(() => {
    if (wish === null) return;
    if (wish.name === "newest") {
      keeper?.toEnd();
      return;
    }
    const element = document.getElementById(messageElementId(wish.id));
    element?.scrollIntoView({ block: "center" });
    element?.focus({ preventScroll: true });
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    element?.animate({ backgroundColor: ["var(--pointed)", "transparent"] }, POINTED);
  }, [wish, keeper]);
}

/** Up and down go from message to message. */
function moveFocus(event: KeyboardEvent): void {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const box = event.currentTarget;
  if (step === undefined || event.defaultPrevented || !(box instanceof HTMLElement)) return;
  const messages = [...box.querySelectorAll<HTMLElement>("article")];
  const current = messages.findIndex((message) => message.contains(document.activeElement));
  const next = current === -1 ? messages.at(-1) : messages[current + step];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

function ToNewest({ room }: { room: OpenRoom }) {
  const { reading } = room;
  if (reading.isAtNewest.value) return null;
  const unseen = reading.unseen.value;
  const words = unseen === 0 ? undefined : plural(unseen, "new message", "new messages");
  return (
    <button
      type="button"
      class={`to-newest ${unseen > 0 ? "with-words" : ""}`}
      aria-label={words ?? "Go to the newest message"}
      onClick={() => {
        room.wish.value = { name: "newest" };
      }}
    >
      {words} <Icon name="down" />
    </button>
  );
}
