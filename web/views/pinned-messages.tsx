import { shortDateText } from "../dates.ts";
import type { OpenRoom } from "../open-room.ts";
import { useWorkspace } from "../workspace.ts";
import { Dialog } from "./dialog.tsx";
import { Name } from "./name.tsx";
import { excerptOf } from "./quote.tsx";

export function PinnedMessages({ room, onClosed }: { room: OpenRoom; onClosed: () => void }) {
  const { people } = useWorkspace();
  return (
    <Dialog title="Pinned messages" onClosed={onClosed}>
      {(close) => (
        <ul class="people">
          {room.pins.messages.value.map((message) => (
            <li key={message.id}>
              <button
                type="button"
                class="person pinned-message"
                onClick={() => {
                  close();
                  void room.jumpTo(message.id);
                }}
              >
                <span class="pinned-from">
                  <Name>{people.isMe(message.sender) ? "You" : people.nameOf(message.sender)}</Name>
                  <span class="muted"> {shortDateText(message.sentAt)}</span>
                </span>
                <span class="pinned-text" dir="auto">
                  {excerptOf(message)}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}
