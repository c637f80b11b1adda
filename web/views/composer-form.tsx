import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Composing } from "../composer.ts";
import { isComposingKey, isTouch } from "../keys.ts";
import { isWebLink } from "../media.ts";
import type { MediaType, TimelineMessage } from "../message.ts";
import type { OpenRoom } from "../open-room.ts";
import { useWorkspace } from "../workspace.ts";
import { Icon, IconButton } from "./icon.tsx";
import { Name } from "./name.tsx";
import { excerptOf } from "./quote.tsx";

export function ComposerForm({ room }: { room: OpenRoom }) {
  const { composer } = room;
  const field = useRef<HTMLTextAreaElement>(null);
  const composing = composer.composing.value;
  const media = composer.media.value;
  const text = composer.text.value;

  const intention = `${composing.name} ${aboutOf(composing)?.id ?? ""}`;
  // Opening a room, answering and editing all go on with typing. By touch a keyboard would come up with it, over what is to be read.
  const isOpening = useRef(true);
  useEffect(() => {
    if (!isOpening.current || !isTouch.matches) field.current?.focus();
    isOpening.current = false;
  }, [intention, composer.goesOn.value]);
  useLayoutEffect(() => {
    if (field.current === null) return;
    field.current.style.height = "auto";
    field.current.style.height = `${field.current.scrollHeight}px`;
  }, [text]);

  const submit = () => {
    if (composer.submit()) field.current?.focus();
  };
  const typed = (value: string) => {
    composer.type(value);
    if (composing.name === "edit") return;
    if (value === "") room.typing.stopped();
    else room.typing.typed();
  };
  const pressed = (event: KeyboardEvent) => {
    if (isComposingKey(event)) return;
    // By touch there is no other way to a new line, and a button to send with.
    if (event.key === "Enter" && !event.shiftKey && !isTouch.matches) {
      event.preventDefault();
      submit();
    } else if (event.key === "Escape" && composing.name !== "new") {
      event.preventDefault();
      composer.cancel();
    } else if (event.key === "ArrowUp" && text === "" && composing.name === "new" && composer.editLast()) {
      event.preventDefault();
    }
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Intention room={room} />
      {media !== null && <MediaFields room={room} />}
      <div class="composer-row">
        {composing.name !== "edit" && (
          <IconButton
            icon="link"
            label="Add a link to media"
            aria-expanded={media !== null}
            onClick={() => {
              composer.link(media === null ? { url: "", chosenType: null } : null);
            }}
          />
        )}
        <textarea
          ref={field}
          aria-label="Message"
          placeholder="Message"
          dir="auto"
          rows={1}
          enterkeyhint={isTouch.matches ? "enter" : "send"}
          value={text}
          onInput={(event) => typed(event.currentTarget.value)}
          onKeyDown={pressed}
          onBlur={() => room.typing.stopped()}
        />
        <button
          type="submit"
          class="icon-button send"
          aria-label={composing.name === "edit" ? "Save" : "Send"}
          title={composing.name === "edit" ? "Save" : "Send"}
          disabled={!composer.canSubmit.value}
        >
          <Icon name={composing.name === "edit" ? "check" : "send"} />
        </button>
      </div>
    </form>
  );
}

/** The message that is edited or answered. */
function aboutOf(composing: Composing): TimelineMessage | null {
  switch (composing.name) {
    case "new":
      return null;
    case "reply":
      return composing.to;
    case "edit":
      return composing.message;
  }
}

/** What is written is an answer, or another text for a message. */
function Intention({ room }: { room: OpenRoom }) {
  const { people } = useWorkspace();
  const { composer } = room;
  const composing = composer.composing.value;
  const isEdit = composing.name === "edit";
  const message = aboutOf(composing);
  if (message === null) return null;
  const of = people.isMe(message.sender) ? "yourself" : people.nameOf(message.sender);
  return (
    <div class="intention">
      <Icon name={isEdit ? "edit" : "reply"} />
      <div class="intention-words">
        <strong>{isEdit ? "Editing your message" : <ReplyingTo name={of} />}</strong>
        <span class="quote-text" dir="auto">
          {excerptOf(message)}
        </span>
      </div>
      <IconButton icon="close" label={isEdit ? "Cancel editing" : "Cancel reply"} onClick={() => composer.cancel()} />
    </div>
  );
}

function ReplyingTo({ name }: { name: string }) {
  return (
    <>
      Replying to <Name>{name}</Name>
    </>
  );
}

const KINDS: readonly (readonly [MediaType, string])[] = [
  ["IMAGE", "Picture"],
  ["VIDEO", "Video"],
  ["AUDIO", "Audio"],
  ["FILE", "File"],
];

function MediaFields({ room: { composer } }: { room: OpenRoom }) {
  const media = composer.media.value;
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  if (media === null) return null;
  const isWrong = media.url.trim() !== "" && !isWebLink(media.url.trim());
  return (
    <div class="media-fields">
      <label class="field grow">
        <span>Media link</span>
        <input
          ref={field}
          type="url"
          inputMode="url"
          placeholder="https://…"
          maxLength={2048}
          aria-invalid={isWrong}
          value={media.url}
          onInput={(event) => {
            composer.link({ ...media, url: event.currentTarget.value });
          }}
          onKeyDown={(event) => {
            if (isComposingKey(event)) {
              if (event.key === "Enter") event.preventDefault();
              return;
            }
            if (event.key === "Escape") composer.link(null);
            if (event.key !== "Enter") return;
            // A link is half a message: Enter goes on to its words.
            event.preventDefault();
            composer.goOn();
          }}
        />
        {isWrong && <small class="field-problem">An http or https link is needed.</small>}
      </label>
      <label class="field">
        <span>Kind</span>
        <select
          value={composer.mediaType.value ?? "FILE"}
          onChange={(event) => {
            composer.link({ ...media, chosenType: event.currentTarget.value as MediaType });
          }}
        >
          {KINDS.map(([type, name]) => (
            <option key={type} value={type}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
