/**
 * Messages in the order of their creation, in blocks of about 50. A block that holds the same messages is the same object, so
 * that the page draws again only the blocks that changed, however long the history is.
 */
import type { TimelineMessage } from "./message.ts";

export interface Block {
  /** Stays as long as the block; no two blocks have the same. */
  readonly key: number;
  /** Oldest first; never empty. */
  readonly messages: readonly TimelineMessage[];
}

/** Oldest first. */
export type Blocks = readonly Block[];

/** Messages. What is put between others makes a block larger. */
export const BLOCK_SIZE = 50;

export function firstOf(blocks: Blocks): TimelineMessage | null {
  return blocks[0]?.messages[0] ?? null;
}

export function lastOf(blocks: Blocks): TimelineMessage | null {
  return blocks.at(-1)?.messages.at(-1) ?? null;
}

/** Looked for from the end, where most of what is asked for lies. */
export function findMessage(blocks: Blocks, id: string): TimelineMessage | null {
  for (let index = blocks.length - 1; index >= 0; index -= 1) {
    const found = blocks[index]?.messages.find((message) => message.id === id);
    if (found !== undefined) return found;
  }
  return null;
}

/** The last message that `isWanted`. */
export function findLastMessage(
  blocks: Blocks,
  isWanted: (message: TimelineMessage) => boolean,
): TimelineMessage | null {
  for (let index = blocks.length - 1; index >= 0; index -= 1) {
    const found = blocks[index]?.messages.findLast(isWanted);
    if (found !== undefined) return found;
  }
  return null;
}

/** `older`: oldest first, all of them from before the first message. */
export function prepend(blocks: Blocks, older: readonly TimelineMessage[]): Blocks {
  const made: Block[] = [];
  for (let end = older.length; end > 0; end -= BLOCK_SIZE) {
    const messages = older.slice(Math.max(0, end - BLOCK_SIZE), end);
    if (messages[0] !== undefined) made.unshift({ key: messages[0].seq, messages });
  }
  return made.length === 0 ? blocks : [...made, ...blocks];
}

/** The message at its place; `blocks` do not hold it. */
export function insert(blocks: Blocks, message: TimelineMessage): Blocks {
  const last = blocks.at(-1);
  const isNewest = (lastOf(blocks)?.seq ?? -1) < message.seq;
  if (last === undefined || (isNewest && last.messages.length >= BLOCK_SIZE)) {
    return [...blocks, { key: message.seq, messages: [message] }];
  }
  const following = blocks.findIndex(({ messages }) => (messages[0]?.seq ?? 0) > message.seq);
  const index = following === -1 ? blocks.length - 1 : Math.max(0, following - 1);
  return withMessages(blocks, index, (messages) => {
    const place = messages.findIndex(({ seq }) => seq > message.seq);
    return messages.toSpliced(place === -1 ? messages.length : place, 0, message);
  });
}

/** `replacement` in the place of the message of that id; the same blocks where there is none. */
export function replace(
  blocks: Blocks,
  id: string,
  replacement: (message: TimelineMessage) => TimelineMessage,
): Blocks {
  const index = blocks.findLastIndex(({ messages }) => messages.some((message) => message.id === id));
  if (index === -1) return blocks;
  return withMessages(blocks, index, (messages) =>
    messages.map((message) => (message.id === id ? replacement(message) : message)),
  );
}

export function remove(blocks: Blocks, id: string): Blocks {
  const index = blocks.findLastIndex(({ messages }) => messages.some((message) => message.id === id));
  if (index === -1) return blocks;
  return withMessages(blocks, index, (messages) => messages.filter((message) => message.id !== id));
}

function withMessages(
  blocks: Blocks,
  index: number,
  make: (messages: readonly TimelineMessage[]) => readonly TimelineMessage[],
): Blocks {
  const block = blocks[index];
  if (block === undefined) return blocks;
  const messages = make(block.messages);
  return messages.length === 0 ? blocks.toSpliced(index, 1) : blocks.with(index, { ...block, messages });
}
