import { sql } from "drizzle-orm";
import type { Amendment, AmendOutcome } from "../server/core/store.ts";
import { type LockedConversation, messageKey, type Scene } from "./amend.ts";
import { type Drizzle, type Row, rowsOf } from "./client.ts";
import { toNumber } from "./rows.ts";

type Read = Extract<Amendment, { kind: "read" }>;

interface Place {
  readonly id: string;
  readonly seq: number;
  readonly ordinal: number;
}

interface CursorMove {
  readonly amendment: Read;
  readonly conversation: LockedConversation;
  readonly place: Place;
}

/**
 * Moves cursors forward: three statements, whatever the number of reads. Several reads of one member in a batch are one
 * move, to the furthest.
 */
export async function writeReadMarks(
  transaction: Drizzle,
  scene: Scene,
  reads: readonly Read[],
  outcomes: Map<Amendment, AmendOutcome>,
): Promise<void> {
  const newest = await newestPlaces(transaction, reads);
  const moves = new Map<string, CursorMove>();
  for (const amendment of reads) {
    const target = targetOf(scene, amendment, newest);
    if (target === "forbidden") {
      outcomes.set(amendment, { status: "forbidden" });
      continue;
    }
    outcomes.set(amendment, { status: "unchanged", message: null });
    if (target === null) continue;
    const key = JSON.stringify([target.conversation.id, amendment.userId]);
    if (target.place.seq > (moves.get(key)?.place.seq ?? 0)) moves.set(key, { amendment, ...target });
  }
  if (moves.size === 0) return;

  const rows = [...moves.values()].map(({ amendment, conversation, place }) => ({
    conversation_id: conversation.id,
    user_id: amendment.userId,
    seq: place.seq,
    ordinal: place.ordinal,
    message_count: conversation.messageCount,
  }));
  const unread = new Map<string, number>();
  for (const row of await moveCursors(transaction, rows)) {
    unread.set(JSON.stringify([row.conversation_id, row.user_id]), toNumber(row.unread));
  }
  for (const [key, { amendment, conversation, place }] of moves) {
    const member = scene.member(conversation.id, amendment.userId);
    if (member === undefined) throw new Error("a cursor moved for nobody");
    conversation.reads += 1;
    const { now: readAt, seq: asOf, reads: readNumber, membersCount } = conversation;
    const mark = { conversationId: conversation.id, user: member.profile, messageId: place.id, seq: place.seq };
    outcomes.set(amendment, {
      status: "read",
      mark: { ...mark, readAt, unread: unread.get(key) ?? 0, asOf, reads: readNumber, membersCount },
    });
  }
  const touched = new Set([...moves.values()].map(({ conversation }) => conversation));
  await transaction.execute(sql`
    update conversations set reads = row.reads
    from json_to_recordset(${JSON.stringify([...touched])}::text::json) as row (id text, reads bigint)
    where conversations.id = row.id`);
}

/** Where the read goes: null when the cursor is there already, or there is nothing to read. */
function targetOf(
  scene: Scene,
  amendment: Read,
  newest: ReadonlyMap<string, Place>,
): Omit<CursorMove, "amendment"> | null | "forbidden" {
  const { messageId } = amendment;
  const conversation = scene.conversationOf(amendment);
  const member = conversation && scene.member(conversation.id, amendment.userId);
  if (conversation === undefined || member === undefined) return "forbidden";
  let place = newest.get(conversation.id);
  if (messageId !== null) {
    const key = messageKey(conversation.id, messageId);
    const message = scene.messages.get(key);
    const ordinal = scene.ordinals.get(key);
    if (message === undefined || ordinal === undefined) return "forbidden";
    place = { id: message.id, seq: message.seq, ordinal };
  }
  return place === undefined || place.seq <= member.cursor ? null : { conversation, place };
}

async function newestPlaces(transaction: Drizzle, reads: readonly Read[]): Promise<Map<string, Place>> {
  const ids = [...new Set(reads.flatMap((read) => (read.messageId === null ? read.conversationId : [])))];
  if (ids.length === 0) return new Map();
  const rows = rowsOf(
    await transaction.execute(sql`
      select row.conversation_id, newest.id, newest.seq, newest.ordinal
      from json_to_recordset(${JSON.stringify(ids.map((id) => ({ conversation_id: id })))}::text::json)
        as row (conversation_id text)
      cross join lateral (
        select id, seq, ordinal from messages
        where messages.conversation_id = row.conversation_id order by seq desc limit 1
      ) as newest`),
  );
  return new Map(
    rows.map((row) => [
      String(row.conversation_id),
      { id: String(row.id), seq: toNumber(row.seq), ordinal: toNumber(row.ordinal) },
    ]),
  );
}

/**
 * What passes under the cursor leaves the two counters that looked beyond it. Only the messages between the old and the
 * new place are walked, and each passes once; reading everything walks none.
 */
async function moveCursors(transaction: Drizzle, rows: readonly object[]): Promise<Row[]> {
  const passed = (condition: string) =>
    sql.raw(`(
      select count(*) from messages
      where messages.conversation_id = members.conversation_id
        and messages.seq > members.cursor_seq and messages.seq <= row.seq and ${condition}
    )`);
  const result = await transaction.execute(sql`
    update members set
      cursor_seq = row.seq,
      cursor_count = row.ordinal,
      own_after = case when row.ordinal = row.message_count then 0
        else members.own_after - ${passed("messages.sender_id = members.user_id")} end,
      deleted_after = case when row.ordinal = row.message_count then 0
        else members.deleted_after
          - ${passed("messages.sender_id <> members.user_id and messages.deleted_at is not null")} end
    from json_to_recordset(${JSON.stringify(rows)}::text::json)
      as row (conversation_id text, user_id text, seq bigint, ordinal bigint, message_count bigint)
    where members.conversation_id = row.conversation_id and members.user_id = row.user_id
    returning members.conversation_id, members.user_id,
      row.message_count - members.cursor_count - members.own_after - members.deleted_after as unread`);
  return rowsOf(result);
}
