/** What is being written: a new message, an answer, or another text for one's own message. */
import { computed, type Signal, signal } from "@preact/signals";
import type { RoomMessage } from "../client/index.ts";
import { guessMediaType, isWebLink } from "./media.ts";
import type { MediaType, TimelineMessage } from "./message.ts";

export interface MediaDraft {
  readonly url: string;
  /** Null: what the link looks like. */
  readonly chosenType: MediaType | null;
}

/** A message that is not sent yet. */
interface Unsent {
  readonly text: string;
  /** Null while no link is asked for. */
  readonly media: MediaDraft | null;
  readonly replyTo: TimelineMessage | null;
}

/** What is kept of it: an edit is an edit when somebody comes back to it, and never a message. */
export interface Draft extends Unsent {
  /** The message that gets another text, and what was being written before. Null: a new message is written. */
  readonly edit: { readonly message: TimelineMessage; readonly before: Unsent } | null;
  /** Texts of edits that were left for something else, by the message's id. */
  readonly leftEdits: Readonly<Record<string, string>>;
}

export type Composing =
  | { readonly name: "new" }
  | { readonly name: "reply"; readonly to: TimelineMessage }
  | { readonly name: "edit"; readonly message: TimelineMessage };

export interface ComposerActions {
  send(message: RoomMessage): void;
  edit(message: TimelineMessage, text: string): void;
  lastOwnMessage(): TimelineMessage | null;
}

const NEW: Composing = { name: "new" };
const NOTHING: Unsent = { text: "", media: null, replyTo: null };
/** Edits of one conversation. */
const MAX_LEFT_EDITS = 20;

export const EMPTY_DRAFT: Draft = { ...NOTHING, edit: null, leftEdits: {} };

/** Nothing of it has to be kept. */
export function isEmptyDraft({ text, media, replyTo, edit, leftEdits }: Draft): boolean {
  return text === "" && media === null && replyTo === null && edit === null && Object.keys(leftEdits).length === 0;
}

/** Somebody's own words are in it. */
export function hasWords(draft: Draft): boolean {
  const { edit, leftEdits } = draft;
  const isWritten = ({ text, media }: Unsent) => text.trim() !== "" || (media?.url ?? "") !== "";
  if (Object.keys(leftEdits).length > 0) return true;
  return edit === null ? isWritten(draft) : draft.text !== edit.message.text || isWritten(edit.before);
}

export class Composer {
  readonly text = computed(() => this.#draft.value.text);
  readonly media = computed(() => this.#draft.value.media);
  readonly composing = computed<Composing>(() => {
    const { edit, replyTo } = this.#draft.value;
    if (edit !== null) return { name: "edit", message: edit.message };
    return replyTo === null ? NEW : { name: "reply", to: replyTo };
  });
  readonly mediaType = computed(() => {
    const media = this.media.value;
    return media === null ? null : (media.chosenType ?? guessMediaType(media.url.trim()));
  });
  readonly canSubmit = computed(() => {
    const url = this.media.value?.url.trim() ?? "";
    if (url !== "" && !isWebLink(url)) return false;
    return this.text.value.trim() !== "" || url !== "" || this.#editsMedia.value;
  });
  readonly #editsMedia = computed(() => {
    const message = this.#draft.value.edit?.message;
    return message !== undefined && (message.mediaUrl !== null || message.attachments.length > 0);
  });
  /** Another number each time that somebody is to go on writing. */
  readonly goesOn = signal(0);
  /** It outlives the room's view. */
  readonly #draft: Signal<Draft>;
  readonly #actions: ComposerActions;

  constructor(draft: Signal<Draft>, actions: ComposerActions) {
    this.#draft = draft;
    this.#actions = actions;
  }

  type(text: string): void {
    this.#change({ text });
  }

  link(media: MediaDraft | null): void {
    this.#change({ media });
  }

  /** @returns whether there was anything to send */
  submit(): boolean {
    if (!this.canSubmit.value) return false;
    const { text, edit, replyTo, media } = this.#draft.peek();
    const message = text.trim();
    if (edit !== null) {
      if (message !== edit.message.text) this.#actions.edit(edit.message, message);
      this.#change({ ...edit.before, edit: null });
      return true;
    }
    const url = media?.url.trim() ?? "";
    const mediaType = this.mediaType.value ?? "FILE";
    // First what is kept of it as sent, then the draft goes: whenever the page ends, one of the two is there.
    this.#actions.send({
      message,
      ...(url !== "" && { multimedia_url: url, media_type: mediaType }),
      ...(replyTo !== null && { reply_to: replyTo.id }),
    });
    this.#change(NOTHING);
    return true;
  }

  reply(to: TimelineMessage): void {
    this.#leaveEdit();
    this.#change({ replyTo: to });
  }

  /** `text`: in place of what the message says. */
  edit(message: TimelineMessage, text?: string): void {
    this.#leaveEdit();
    const { text: unsent, media, replyTo, leftEdits } = this.#draft.peek();
    const { [message.id]: left, ...others } = leftEdits;
    this.#change({
      ...NOTHING,
      text: text ?? left ?? message.text,
      edit: { message, before: { text: unsent, media, replyTo } },
      leftEdits: others,
    });
  }

  /** @returns whether there is one */
  editLast(): boolean {
    const message = this.#actions.lastOwnMessage();
    if (message !== null) this.edit(message);
    return message !== null;
  }

  /** What was refused, to be written anew, behind what is being written. */
  takeBack({ message = "", multimedia_url: url, media_type: chosenType }: RoomMessage): void {
    this.#leaveEdit();
    const { text, media } = this.#draft.peek();
    this.#change({
      text: [text, message].filter((part) => part !== "").join("\n"),
      media: url ? { url, chosenType: chosenType || null } : media,
    });
    this.goOn();
  }

  goOn(): void {
    this.goesOn.value += 1;
  }

  /** Back to a new message, with what had been written of it. */
  cancel(): void {
    const { edit } = this.#draft.peek();
    this.#change(edit === null ? { replyTo: null } : { ...edit.before, edit: null });
  }

  /** Nothing of it is wanted any more. */
  clear(): void {
    this.#draft.value = EMPTY_DRAFT;
  }

  /** Something else is done in between: the edit's text is found again when the message is edited again. */
  #leaveEdit(): void {
    const { text, edit, leftEdits } = this.#draft.peek();
    if (edit === null) return;
    const isChanged = text !== edit.message.text;
    const { [edit.message.id]: _, ...others } = leftEdits;
    const left = isChanged ? [...Object.entries(others), [edit.message.id, text] as const] : Object.entries(others);
    this.#change({ ...edit.before, edit: null, leftEdits: Object.fromEntries(left.slice(-MAX_LEFT_EDITS)) });
  }

  #change(changes: Partial<Draft>): void {
    this.#draft.value = { ...this.#draft.peek(), ...changes };
  }
}
