import { goTo } from "../route.ts";
import { endSession } from "../session.ts";
import { plural } from "../words.ts";
import { useWorkspace } from "../workspace.ts";
import { Dialog } from "./dialog.tsx";

/** Asks before what somebody has begun is gone. */
export function SignOut({ onClosed }: { onClosed: () => void }) {
  const workspace = useWorkspace();
  const { waiting, drafts } = workspace.begun();
  return (
    <Dialog title="Sign out?" onClosed={onClosed}>
      {(close) => (
        <div class="stack">
          <p>
            What you have begun in this browser is lost when you sign out:{" "}
            {[
              waiting > 0 && plural(waiting, "thing that waits to be sent", "things that wait to be sent"),
              drafts > 0 && plural(drafts, "unfinished text", "unfinished texts"),
            ]
              .filter(Boolean)
              .join(" and ")}
            .
          </p>
          <div class="dialog-buttons">
            <button type="button" autofocus onClick={close}>
              Stay
            </button>
            <button type="button" class="danger" onClick={() => leave(workspace)}>
              Sign out
            </button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

export function leave(workspace: { close(): void; forget(): void }): void {
  workspace.close();
  workspace.forget();
  goTo(null);
  endSession();
}
