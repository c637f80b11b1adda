/** A page of a conversation's messages, and the links to what lies on either side of it. */
import type { Messages } from "../core/messages.ts";
import type { Message } from "../core/model.ts";
import type { HistoryQuery } from "../protocol/http.ts";

export interface HistorySlice {
  /** Newest first. */
  readonly messages: readonly Message[];
  /** The query that continues with older ones; null when there are none. */
  readonly older: HistoryQuery | null;
  readonly newer: HistoryQuery | null;
}

export async function readHistory(
  messages: Pick<Messages, "history">,
  conversationId: string,
  query: HistoryQuery,
): Promise<HistorySlice> {
  const { before = null, after = null, limit, pinned } = query;
  const page = { conversationId, pinned };
  // One more than asked for tells whether there is more in the direction of reading.
  const found = await messages.history({ ...page, before, after, limit: limit + 1 });
  const hasMore = found.length > limit;
  const isUpwards = after !== null && before === null;
  const slice = isUpwards ? found.slice(-limit) : found.slice(0, limit);

  // Behind the page lies what the query itself excluded; of an empty page, everything on that side of its bound.
  const newest = slice[0]?.seq ?? (before === null ? null : Math.max(before - 1, 0));
  const oldest = slice.at(-1)?.seq ?? (after === null ? null : after + 1);
  const exists = async (place: { before: number | null; after: number | null }) =>
    (await messages.history({ ...page, ...place, limit: 1 })).length > 0;

  const hasOlder = isUpwards ? oldest !== null && (await exists({ before: oldest, after: null })) : hasMore;
  const hasNewer = isUpwards
    ? hasMore
    : before !== null && newest !== null && (await exists({ before: null, after: newest }));
  return {
    messages: slice,
    older:
      hasOlder && oldest !== null
        ? // Between two bounds, the lower one ends the walk.
          { limit, pinned, before: oldest, ...(isUpwards || after === null ? {} : { after }) }
        : null,
    newer: hasNewer && newest !== null ? { limit, pinned, after: newest } : null,
  };
}

/** Path and query of that page. */
export function historyLink(room: string, { before, after, limit, pinned }: HistoryQuery): string {
  const parameters = new URLSearchParams({
    ...(before === undefined ? {} : { before: String(before) }),
    ...(after === undefined ? {} : { after: String(after) }),
    limit: String(limit),
    ...(pinned ? { pinned: "true" } : {}),
  });
  return `/api/rooms/${encodeURIComponent(room)}/messages?${parameters}`;
}
