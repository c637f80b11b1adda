/** What the database says happened, read past the server. */
import type { Cluster } from "./cluster.ts";

export interface StoredMessage {
  readonly id: string;
  readonly conversationId: string;
  readonly seq: number;
  /** The number of its newest change. */
  readonly changedSeq: number;
  readonly sender: string;
  readonly clientId: string | null;
  readonly text: string;
  /** ISO 8601 */
  readonly createdAt: string;
}

export interface Truth {
  readonly messages: readonly StoredMessage[];
  /** For each conversation the message that each of its numbers belongs to. */
  readonly numbers: ReadonlyMap<string, ReadonlyMap<number, StoredMessage>>;
  /** For each conversation the number that it stands at. */
  readonly positions: ReadonlyMap<string, number>;
  /** A recount, by `<username> <conversation>`: messages of others behind the cursor, not deleted. */
  readonly unread: ReadonlyMap<string, number>;
  /** The database's clock, ms since 1970. */
  readonly now: number;
}

export async function readTruth(cluster: Cluster): Promise<Truth> {
  const [stored, changes, conversations, unread, clock] = await Promise.all([
    cluster.query<StoredMessage>(
      `select id, conversation_id as "conversationId", seq::float8 as seq, changed_seq::float8 as "changedSeq",
        sender_id as sender, client_id as "clientId", text,
        to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "createdAt"
      from messages order by conversation_id, seq`,
    ),
    cluster.query<{ conversationId: string; seq: number; messageId: string }>(
      `select conversation_id as "conversationId", seq::float8 as seq, message_id as "messageId" from changes`,
    ),
    cluster.query<{ id: string; seq: number }>("select id, seq::float8 as seq from conversations"),
    cluster.query<{ username: string; conversationId: string; unread: number }>(
      `select users.username, members.conversation_id as "conversationId", count(messages.id)::float8 as unread
      from members join users on users.id = members.user_id
      left join messages on messages.conversation_id = members.conversation_id and messages.seq > members.cursor_seq
        and messages.sender_id <> members.user_id and messages.deleted_at is null
      group by users.username, members.conversation_id`,
    ),
    cluster.query<{ now: number }>("select (extract(epoch from clock_timestamp()) * 1000)::float8 as now"),
  ]);
  const byId = new Map(stored.map((message) => [message.id, message]));
  const numbers = new Map(conversations.map(({ id }) => [id, new Map<number, StoredMessage>()]));
  for (const message of stored) numbers.get(message.conversationId)?.set(message.seq, message);
  for (const { conversationId, seq, messageId } of changes) {
    const message = byId.get(messageId);
    if (message !== undefined) numbers.get(conversationId)?.set(seq, message);
  }
  return {
    messages: stored,
    numbers,
    positions: new Map(conversations.map(({ id, seq }) => [id, seq])),
    unread: new Map(unread.map((row) => [`${row.username} ${row.conversationId}`, row.unread])),
    now: clock[0]?.now ?? 0,
  };
}
