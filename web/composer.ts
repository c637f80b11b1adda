/** What is being written: a new message, an answer, or another text for one's own message. */
import { computed, type Signal, signal } from "@preact/signals";
import type { RoomMessage } from "../client/index.ts";
import { guessMediaType, isWebLink } from "./media.ts";
import type { MediaType, TimelineMessage } from "./message.ts";

export type Composing =
  | { readonly name: "new" }
  | { readonly name: "reply"; readonly to: TimelineMessage }
  /** `draft`: what was being written before. */
  | { readonly name: "edit"; readonly message: TimelineMessage; readonly draft: string };

export interface MediaDraft {
  readonly url: string;
  /** Null: what the link looks like. */
  readonly chosenType: MediaType | null;
}

export interface ComposerActions {
  send(message: RoomMessage): void;
  edit(id: string, text: string): void;
  lastOwnMessage(): TimelineMessage | null;
}

const NEW: Composing = { name: "new" };

export class Composer {
  readonly text: Signal<string>;
  readonly composing = signal<Composing>(NEW);
  /** Null while no link is asked for. */
  readonly media = signal<MediaDraft | null>(null);
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
    const composing = this.composing.value;
    return (
      composing.name === "edit" && (composing.message.mediaUrl !== null || composing.message.attachments.length > 0)
    );
  });
  readonly #actions: ComposerActions;

  /** `text` outlives the room's view: it is the draft that is found again. */
  constructor(text: Signal<string>, actions: ComposerActions) {
    this.text = text;
    this.#actions = actions;
  }

  /** @returns whether there was anything to send */
  submit(): boolean {
    if (!this.canSubmit.value) return false;
    const message = this.text.value.trim();
    const composing = this.composing.value;
    switch (composing.name) {
      case "edit":
        if (message !== composing.message.text) this.#actions.edit(composing.message.id, message);
        this.cancel();
        return true;
      case "new":
      case "reply": {
        const url = this.media.value?.url.trim() ?? "";
        this.#actions.send({
          message,
          ...(url !== "" && { multimedia_url: url, media_type: this.mediaType.value ?? "FILE" }),
          ...(composing.name === "reply" && { reply_to: composing.to.id }),
        });
        this.text.value = "";
        this.media.value = null;
        this.composing.value = NEW;
        return true;
      }
    }
  }

  reply(to: TimelineMessage): void {
    this.cancel();
    this.composing.value = { name: "reply", to };
  }

  edit(message: TimelineMessage): void {
    this.cancel();
    this.composing.value = { name: "edit", message, draft: this.text.value };
    this.media.value = null;
    this.text.value = message.text;
  }

  /** @returns whether there is one */
  editLast(): boolean {
    const message = this.#actions.lastOwnMessage();
    if (message !== null) this.edit(message);
    return message !== null;
  }

  /** Back to a new message, with what had been written of it. */
  cancel(): void {
    const composing = this.composing.value;
    if (composing.name === "edit") this.text.value = composing.draft;
    this.composing.value = NEW;
  }
}
