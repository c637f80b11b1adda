import type { TimelineMessage } from "../message.ts";
import type { OpenRoom } from "../open-room.ts";
import { IconButton } from "./icon.tsx";

/** There while the message is pointed at or has the focus: see `messages.css`. */
export function MessageActions({ room, message }: { room: OpenRoom; message: TimelineMessage }) {
  const isPinned = message.isPinned;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for the fields of a form
    <div class="actions" role="group" aria-label="Message actions">
      <IconButton icon="reply" label="Reply" onClick={() => room.composer.reply(message)} />
      <IconButton icon="pin" label={isPinned ? "Unpin" : "Pin"} onClick={() => room.outbox.pin(message, !isPinned)} />
      {room.canEdit(message) && <IconButton icon="edit" label="Edit" onClick={() => room.composer.edit(message)} />}
      {room.canDelete(message) && (
        <IconButton
          icon="delete"
          label="Delete"
          onClick={() => {
            room.doomed.value = message;
          }}
        />
      )}
    </div>
  );
}
