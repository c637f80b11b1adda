import { memo } from "preact/compat";
import { dayText, fullTimeText, isSameDay, timeText } from "../dates.ts";
import type { TimelineMessage } from "../message.ts";
import type { OpenRoom } from "../open-room.ts";
import { imageOf } from "../people.ts";
import { listOf, plainName } from "../words.ts";
import { useWorkspace } from "../workspace.ts";
import { Avatar, hueOf } from "./avatar.tsx";
import { Icon } from "./icon.tsx";
import { MessageActions } from "./message-actions.tsx";
import { MessageMedia } from "./message-media.tsx";
import { MessageText } from "./message-text.tsx";
import { Name } from "./name.tsx";
import { Quote } from "./quote.tsx";

/** Milliseconds after which the same sender is named again. */
const GROUP_PAUSE = 5 * 60 * 1_000;

export interface MessageViewProps {
  room: OpenRoom;
  message: TimelineMessage;
  /** The one before it, in the conversation; null where none is loaded. */
  previous: TimelineMessage | null;
}

/** The element of a message. */
export function messageElementId(id: string): string {
  return `message-${id}`;
}

/** Drawn again only when the message itself, or the one before it, is another. */
export const MessageView = memo(({ room, message, previous }: MessageViewProps) => {
  const { people } = useWorkspace();
  const startsDay = previous === null || !isSameDay(previous.sentAt, message.sentAt);
  const isFirst = startsDay || !goesOn(previous, message);
  const isOwn = people.isMe(message.sender);
  const isGroup = room.details.group.value !== null;
  const sender = isOwn ? "You" : people.nameOf(message.sender);
  const isDeleted = message.deletedBy !== null;
  return (
    <>
      {startsDay && (
        <p class="day">
          <time dateTime={message.sentAt}>{dayText(message.sentAt)}</time>
        </p>
      )}
      <article
        id={messageElementId(message.id)}
        class={`message ${isOwn ? "own" : ""} ${isFirst ? "first" : ""} ${isDeleted ? "deleted" : ""}`}
        aria-label={`${plainName(sender)}, ${timeText(message.sentAt)}`}
        tabIndex={-1}
      >
        {isGroup && !isOwn && (
          <span class="message-avatar">
            {isFirst && <Avatar name={sender} of={message.sender} image={imageOf(people, message.sender)} />}
          </span>
        )}
        <div class="bubble">
          {isGroup && !isOwn && isFirst && (
            <p class={`message-sender ${hueOf(message.sender)}`}>
              <Name>{sender}</Name>
            </p>
          )}
          {message.replyTo !== null && <Quote room={room} id={message.replyTo} />}
          <MessageMedia message={message} />
          <div class="message-body">
            <MessageText text={isDeleted ? "This message was deleted" : message.text} />
            <Meta room={room} message={message} isOwn={isOwn} />
          </div>
        </div>
        {!isDeleted && <MessageActions room={room} message={message} />}
      </article>
    </>
  );
});

function goesOn(previous: TimelineMessage | null, message: TimelineMessage): boolean {
  if (previous === null || previous.sender !== message.sender) return false;
  return Date.parse(message.sentAt) - Date.parse(previous.sentAt) < GROUP_PAUSE;
}

function Meta({ room, message, isOwn }: { room: OpenRoom; message: TimelineMessage; isOwn: boolean }) {
  return (
    <span class="meta">
      <Pending room={room} id={message.id} />
      {message.isPinned && <Icon name="pin" label="Pinned" />}
      {message.isEdited && message.deletedBy === null && <span>edited</span>}
      <time dateTime={message.sentAt} title={fullTimeText(message.sentAt)}>
        {timeText(message.sentAt)}
      </time>
      {isOwn && message.deletedBy === null && <ReadMark room={room} seq={message.seq} />}
    </span>
  );
}

const PENDING_WORDS = { send: "", edit: "edit waits", delete: "deletion waits", pin: "pin waits" } as const;

/** What is asked for and not done, while there is no line. */
function Pending({ room, id }: { room: OpenRoom; id: string }) {
  const pending = room.outbox.pendingOf(id);
  if (pending === null || room.state.value.name === "open") return null;
  return <span class="pending">{PENDING_WORDS[pending.kind]}</span>;
}

/** By itself, so that a mark that moves draws nothing else again. */
function ReadMark({ room, seq }: { room: OpenRoom; seq: number }) {
  const { people } = useWorkspace();
  const readers = room.reading.readersOf(seq);
  if (readers.length === 0) return <Icon name="check" label="Stored" />;
  return (
    <span class="read">
      <Icon name="doubleCheck" label={`Read by ${listOf(readers.map((user) => people.nameOf(user)))}`} />
    </span>
  );
}
