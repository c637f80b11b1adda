/** The message that another one answers, in short. */
import { useComputed } from "@preact/signals";
import { linkTitle } from "../media.ts";
import type { TimelineMessage } from "../message.ts";
import type { OpenRoom } from "../open-room.ts";
import { useWorkspace } from "../workspace.ts";
import { hueOf } from "./avatar.tsx";

/** Characters. */
const EXCERPT = 200;

export function excerptOf({ text, mediaUrl, deletedBy }: TimelineMessage): string {
  if (deletedBy !== null) return "Message deleted";
  if (text !== "") return text.slice(0, EXCERPT);
  return mediaUrl === null ? "Attachment" : linkTitle(mediaUrl);
}

/** Goes to the message. One that is not loaded says so, and is looked for. */
export function Quote({ room, id }: { room: OpenRoom; id: string }) {
  const { people } = useWorkspace();
  const quoted = useComputed(() => room.history.find(id));
  const message = quoted.value;
  return (
    <button
      type="button"
      class={`quote ${message === null ? "" : hueOf(message.sender)}`}
      onClick={() => void room.jumpTo(id)}
    >
      {message === null ? (
        <span class="quote-text">An earlier message</span>
      ) : (
        <>
          <bdi class="quote-sender">{people.isMe(message.sender) ? "You" : people.nameOf(message.sender)}</bdi>
          <span class="quote-text" dir="auto">
            {excerptOf(message)}
          </span>
        </>
      )}
    </button>
  );
}
