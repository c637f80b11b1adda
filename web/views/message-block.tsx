import { useComputed } from "@preact/signals";
import { memo } from "preact/compat";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Block } from "../blocks.ts";
import type { TimelineMessage } from "../message.ts";
import type { NearView } from "../near-view.ts";
import type { OpenRoom } from "../open-room.ts";
import { Boundary } from "./boundary.tsx";
import { MessageView } from "./message-view.tsx";

function UnknownMessage() {
  return <p class="day">A message that this page cannot show.</p>;
}

export interface MessageBlockProps {
  room: OpenRoom;
  block: Block;
  /** The last message of the block before it. */
  previous: TimelineMessage | null;
  nearView: NearView;
}

/** A block of messages; far from what is in view, an empty box of its height. */
export const MessageBlock = memo(({ room, block, previous, nearView }: MessageBlockProps) => {
  const element = useRef<HTMLDivElement>(null);
  /** Pixels; null while its messages are drawn. */
  const [box, setBox] = useState<number | null>(null);
  const isWished = useComputed(() => {
    const wish = room.wish.value;
    return wish?.name === "message" && block.messages.some(({ id }) => id === wish.id);
  });

  useEffect(() => {
    const { current } = element;
    if (current === null) return undefined;
    return nearView.watch(current, (isNear) => setBox(isNear ? null : current.offsetHeight));
  }, [nearView]);

  if (box !== null && !isWished.value) return <div ref={element} class="block" style={{ height: `${box}px` }} />;
  return (
    <div ref={element} class="block">
      {block.messages.map((message, index) => (
        <Boundary key={message.id} of={message} otherwise={<UnknownMessage />}>
          <MessageView room={room} message={message} previous={block.messages[index - 1] ?? previous} />
        </Boundary>
      ))}
    </div>
  );
});
