import type { Message, UserReference } from "./model.ts";

/** What somebody who has everything up to a seq still needs. */
export type Catchup = { readonly present: number } & (
  | { readonly status: "complete"; readonly changes: readonly MissedChange[] }
  /** More than the limit changed; or the seq asked from lies beyond the present one. */
  | { readonly status: "too_many" | "unknown_seq" }
);

/** A message that changed, without its content: what is new about it, up to a seq. */
export interface MissedChange {
  readonly messageId: string;
  /** Of the last change. */
  readonly seq: number;
  /** What reading the message brings, more or less. */
  readonly bytes: number;
  /** "edited_and_pinned": both the text and the pin changed. */
  readonly kind: "created" | "edited" | "pinned" | "edited_and_pinned" | "deleted";
  /** Who pinned or unpinned it last; null when the pin did not change. */
  readonly pinActor: UserReference | null;
}

/** The same with the message. It is shown as it is now, which may be newer than that change; then that is told later. */
export interface ChangedMessage extends Omit<MissedChange, "messageId" | "bytes"> {
  readonly message: Message;
}
