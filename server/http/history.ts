/** A page of a conversation's messages, and the links to what lies on either side of it. */
import type { Messages } from "../core/messages.ts";
import type { Message } from "../core/model.ts";
import { firstPage } from "../core/pages.ts";
import type { HistoryQuery } from "../protocol/http.ts";

export interface ShownHistory<Body> {
  /** Newest first. */
  readonly messages: Body[];
  /** The query that continues with older ones; null when there are none. */
  readonly older: HistoryQuery | null;
  readonly newer: HistoryQuery | null;
}

/** `bytes`: the page ends with the message that reaches so many as JSON, however few there are. */
export async function readHistory<Body>(
  messages: Pick<Messages, "history" | "hasHistory">,
  conversationId: string,
  query: HistoryQuery,
  { bytes, show }: { readonly bytes: number; readonly show: (message: Message) => Body },
): Promise<ShownHistory<Body>> {
  const { before = null, after = null, limit, pinned } = query;
  const found = await messages.history({ conversationId, pinned, before, after, limit, bytes });
  const isUpwards = after !== null && before === null;
  const read = isUpwards ? [...found.messages].reverse() : found.messages;
  const shown = firstPage(
    read.map((message) => sized({ seq: message.seq, body: show(message) })),
    bytes,
  );
  const hasMore = found.hasMore || shown.length < read.length;
  const slice = isUpwards ? shown.reverse() : shown;

  // Behind the page lies what the query itself excluded; of an empty page, everything on that side of its bound.
  const newest = slice[0]?.seq ?? (before === null ? null : Math.max(before - 1, 0));
  const oldest = slice.at(-1)?.seq ?? (after === null ? null : after + 1);
  const exists = (place: { before: number | null; after: number | null }) =>
    messages.hasHistory({ conversationId, pinned, ...place });

  const hasOlder = isUpwards ? oldest !== null && (await exists({ before: oldest, after: null })) : hasMore;
  const hasNewer = isUpwards
    ? hasMore
    : before !== null && newest !== null && (await exists({ before: null, after: newest }));
  return {
    messages: slice.map(({ body }) => body),
    older:
      hasOlder && oldest !== null
        ? // Between two bounds, the lower one ends the walk.
          { limit, pinned, before: oldest, ...(isUpwards || after === null ? {} : { after }) }
        : null,
    newer: hasNewer && newest !== null ? { limit, pinned, after: newest } : null,
  };
}

/** What storage measures does not know how much of a text JSON escapes. */
export function sized<Item extends { readonly body: unknown }>(item: Item): Item & { readonly bytes: number } {
  return { ...item, bytes: Buffer.byteLength(JSON.stringify(item.body)) };
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
