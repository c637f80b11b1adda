import type { TimelineMessage } from "../message.ts";
import type { OpenRoom } from "../open-room.ts";
import { Dialog } from "./dialog.tsx";
import { excerptOf } from "./quote.tsx";

export function DeleteMessage({ room, message }: { room: OpenRoom; message: TimelineMessage }) {
  const closed = () => {
    room.doomed.value = null;
  };
  return (
    <Dialog title="Delete this message?" onClosed={closed}>
      {(close) => (
        <div class="stack">
          <p class="excerpt" dir="auto">
            {excerptOf(message)}
          </p>
          <p class="muted">It disappears for everybody in this conversation.</p>
          <div class="dialog-buttons">
            <button type="button" autofocus onClick={close}>
              Cancel
            </button>
            <button
              type="button"
              class="danger"
              onClick={() => {
                room.outbox.delete(message);
                close();
              }}
            >
              Delete
            </button>
          </div>
        </div>
      )}
    </Dialog>
  );
}
