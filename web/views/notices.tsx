/** What a person is told wherever they are: each once, until they have seen it. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { goTo } from "../route.ts";
import { dismissNotice, session } from "../session.ts";
import { isStorageFailing } from "../storage.ts";
import { useWorkspace } from "../workspace.ts";
import { Name } from "./name.tsx";
import { FAILED } from "./outbox-messages.tsx";

const NOT_KEPT =
  "This browser does not let the page keep anything: what you have begun to write is gone when you close or reload it.";

export function Notices() {
  const { rooms } = useWorkspace();
  const isSeen = useSignal(false);
  const now = session.value;
  const notice = now.name === "signed_in" ? now.notice : null;
  return (
    <div class="notices">
      {notice !== null && (
        <Notice onDismiss={dismissNotice}>
          <span>{notice}</span>
        </Notice>
      )}
      {isStorageFailing.value && !isSeen.value && (
        <Notice
          onDismiss={() => {
            isSeen.value = true;
          }}
        >
          <span>{NOT_KEPT}</span>
        </Notice>
      )}
      {rooms.refused.value.map(({ room, roomName, command, failure }) => (
        <Notice key={room} onDismiss={() => rooms.dismiss(room)}>
          <span>
            <Name>{roomName}</Name>: {FAILED[command.kind].words}. {failure}
          </span>
          <button type="button" class="small" onClick={() => goTo(room)}>
            Show
          </button>
        </Notice>
      ))}
    </div>
  );
}

function Notice({ children, onDismiss }: { children: ComponentChildren; onDismiss: () => void }) {
  return (
    <div class="notice" role="status">
      {children}
      <button type="button" class="small" onClick={onDismiss}>
        Dismiss
      </button>
    </div>
  );
}
