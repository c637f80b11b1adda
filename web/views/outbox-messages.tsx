/** One's own messages on their way, and those that were refused, below the conversation. */
import type { RoomMessage } from "../../client/index.ts";
import { linkTitle } from "../media.ts";
import type { OpenRoom } from "../open-room.ts";
import type { FailedMessage } from "../outbox.ts";
import { Icon } from "./icon.tsx";

export function OutboxMessages({ room: { outbox } }: { room: OpenRoom }) {
  return (
    <>
      {outbox.waiting.value.map((message, index) => (
        <article
          key={message.client_id}
          class={`message own waiting ${index === 0 ? "first" : ""}`}
          aria-label="You, waiting to be sent"
        >
          <OutboxBubble message={message} mark="waiting" />
        </article>
      ))}
      {outbox.failed.value.map((failed) => (
        <article key={failed.message.client_id} class="message own failed first" aria-label="You, not sent">
          <OutboxBubble message={failed.message} mark="failed" />
          <Failure
            failed={failed}
            onRetry={() => outbox.retry(failed)}
            onDiscard={() => outbox.discard(failed.message.client_id)}
          />
        </article>
      ))}
    </>
  );
}

function OutboxBubble({ message, mark }: { message: RoomMessage; mark: "waiting" | "failed" }) {
  const { message: text = "", multimedia_url: url } = message;
  return (
    <div class="bubble">
      {url !== undefined && (
        <div class="media">
          <span class="file">
            <Icon name="file" /> <span class="file-title">{linkTitle(url)}</span>
          </span>
        </div>
      )}
      <div class="message-body">
        <span class="message-text">{text}</span>
        <span class="meta">
          <Icon name={mark === "waiting" ? "clock" : "close"} label={mark === "waiting" ? "Waiting" : "Not sent"} />
        </span>
      </div>
    </div>
  );
}

function Failure({
  failed,
  onRetry,
  onDiscard,
}: {
  failed: FailedMessage;
  onRetry: () => void;
  onDiscard: () => void;
}) {
  return (
    <p class="failure" role="alert">
      <span>Not sent: {failed.why}</span>
      <button type="button" class="small" onClick={onRetry}>
        Try again
      </button>
      <button type="button" class="small" onClick={onDiscard}>
        Discard
      </button>
    </p>
  );
}
