/** One's own messages on their way, and what was refused, below the conversation. */
import type { RoomMessage } from "../../client/index.ts";
import { linkTitle } from "../media.ts";
import type { OpenRoom } from "../open-room.ts";
import type { Command, OutboxEntry } from "../outbox.ts";
import { Icon } from "./icon.tsx";
import { MessageText } from "./message-text.tsx";
import { excerptOf } from "./quote.tsx";

export function OutboxMessages({ room }: { room: OpenRoom }) {
  const { outbox } = room;
  return (
    <>
      {outbox.messages.value.map((message, index) => (
        <article
          key={message.client_id}
          class={`message own waiting ${index === 0 ? "first" : ""}`}
          aria-label="You, waiting to be sent"
        >
          <OutboxBubble message={message} mark="waiting" />
        </article>
      ))}
      {outbox.failed.value.map((failed) => (
        <article key={failed.key} class="message own failed first" aria-label={FAILED[failed.command.kind].label}>
          <OutboxBubble message={wordsOf(failed.command)} mark="failed" />
          <Failure room={room} failed={failed} />
        </article>
      ))}
    </>
  );
}

/** What a person is told of each kind that was refused. */
export const FAILED = {
  send: { label: "You, not sent", words: "Not sent" },
  edit: { label: "You, not saved", words: "Your edit was not saved" },
  delete: { label: "You, not deleted", words: "Not deleted" },
  pin: { label: "You, not pinned", words: "The pin was not changed" },
} as const;

function wordsOf(command: Command): RoomMessage {
  switch (command.kind) {
    case "send":
      return command.message;
    case "edit":
      return { message: command.text };
    case "delete":
    case "pin":
      return { message: excerptOf(command.message) };
  }
}

function OutboxBubble({ message, mark }: { message: RoomMessage; mark: "waiting" | "failed" }) {
  const { message: text = "", multimedia_url: url } = message;
  return (
    <div class="bubble">
      {url !== undefined && (
        <div class="media">
          <span class="file">
            <Icon name="file" /> <bdi class="file-title">{linkTitle(url)}</bdi>
          </span>
        </div>
      )}
      <div class="message-body">
        <MessageText text={text} />
        <span class="meta">
          <Icon name={mark === "waiting" ? "clock" : "close"} label={mark === "waiting" ? "Waiting" : "Not sent"} />
        </span>
      </div>
    </div>
  );
}

function Failure({ room, failed }: { room: OpenRoom; failed: OutboxEntry }) {
  const { outbox, composer } = room;
  const { command, key } = failed;
  const writeAgain = () => {
    outbox.discard(key);
    if (command.kind === "send") composer.takeBack(command.message);
    else if (command.kind === "edit") composer.edit(command.message, command.text);
  };
  return (
    <p class="failure" role="alert">
      <span>
        {FAILED[command.kind].words}: {failed.failure}
      </span>
      <button type="button" class="small" onClick={() => outbox.retry(failed)}>
        Try again
      </button>
      {(command.kind === "send" || command.kind === "edit") && (
        <button type="button" class="small" onClick={writeAgain}>
          Change
        </button>
      )}
      <button type="button" class="small" onClick={() => outbox.discard(key)}>
        Discard
      </button>
    </p>
  );
}
