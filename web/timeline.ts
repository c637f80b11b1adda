/**
 * What the page has of a conversation's messages: pages of history and live frames, merged by id, each message once, in the
 * order of creation. Pure: every function returns the next timeline, and the same one where nothing changes.
 */
import type { MessageBody, RoomServerFrame } from "../client/index.ts";
import { type Blocks, findMessage, firstOf, insert, lastOf, prepend, remove, replace } from "./blocks.ts";
import {
  type ChangeFrame,
  type CreationFrame,
  changed,
  messageOfBody,
  messageOfFrame,
  type TimelineMessage,
} from "./message.ts";

export interface Timeline {
  readonly blocks: Blocks;
  /**
   * The latest changes, in order. A page of history that was read before one of them arrives after it, and would bring back
   * what the message was.
   */
  readonly changes: readonly ChangeFrame[];
  /** The frames that come are a replay's: their `seq` is of the last change, not of the creation. */
  readonly isReplaying: boolean;
  /** What was created after this number came in a replay, and stands where history has yet to confirm it. Null: nothing. */
  readonly unconfirmedAfter: number | null;
}

export const emptyTimeline: Timeline = { blocks: [], changes: [], isReplaying: false, unconfirmedAfter: null };

/** More than can happen while a page of history is on its way. */
const MAX_CHANGES = 1_000;

export function withFrame(timeline: Timeline, frame: RoomServerFrame): Timeline {
  switch (frame.type) {
    case "online_user_list":
      return { ...timeline, isReplaying: true };
    case "resumed":
      return { ...timeline, isReplaying: false };
    case "resume_failed":
      return emptyTimeline;
    case "chat_message":
      return withCreation(timeline, frame);
    case "message_edited":
    case "message_deleted":
    case "message_pinned":
      return {
        ...timeline,
        blocks: replace(timeline.blocks, frame.id, (message) => changed(message, frame)),
        changes: [...timeline.changes, frame].slice(-MAX_CHANGES),
      };
    default:
      // Presence, reading, answers; and what a later release of the server may say.
      return timeline;
  }
}

function withCreation(timeline: Timeline, frame: CreationFrame): Timeline {
  if (findMessage(timeline.blocks, frame.id) !== null) return timeline;
  const { blocks, isReplaying } = timeline;
  const unconfirmedAfter = timeline.unconfirmedAfter ?? (isReplaying ? (lastOf(blocks)?.seq ?? 0) : null);
  return { ...timeline, blocks: insert(blocks, messageOfFrame(frame)), unconfirmedAfter };
}

/** `page`: newest first, as HTTP gives it. */
export function withHistory(timeline: Timeline, page: readonly MessageBody[]): Timeline {
  const messages = page.map(messageOfBody).reverse();
  const oldest = firstOf(timeline.blocks)?.seq ?? Number.POSITIVE_INFINITY;
  const isOlder = (message: TimelineMessage) =>
    message.seq < oldest && findMessage(timeline.blocks, message.id) === null;
  let blocks = prepend(timeline.blocks, messages.filter(isOlder));
  for (const message of messages.filter((message) => !isOlder(message))) {
    const known = findMessage(blocks, message.id);
    if (known === null) blocks = insert(blocks, message);
    else if (known.seq === message.seq) blocks = replace(blocks, message.id, () => message);
    else blocks = insert(remove(blocks, message.id), message);
  }
  const ids = new Set(messages.map(({ id }) => id));
  for (const change of timeline.changes) {
    if (ids.has(change.id)) blocks = replace(blocks, change.id, (message) => changed(message, change));
  }
  return { ...timeline, blocks };
}

/** All of what the replay brought was found in history. */
export function confirmed(timeline: Timeline): Timeline {
  return { ...timeline, unconfirmedAfter: null };
}
