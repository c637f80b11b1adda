import { and, eq } from "drizzle-orm";
import { StorageUnavailable } from "../server/core/errors.ts";
import type { Message } from "../server/core/model.ts";
import type { MessageStore, NewMessage, SendOutcome } from "../server/core/store.ts";
import type { Database, Row } from "./client.ts";
import { answering, isUniqueViolation } from "./failures.ts";
import { selectMessages, toMessage, toNumber } from "./rows.ts";
import { messages } from "./schema.ts";

/**
 * A whole batch in one statement, so in one round trip and one commit, whatever the number of messages, conversations
 * and members. Step by step:
 *
 * - `locked`: the conversations' rows, in the order of their ids, so that two nodes cannot wait for each other in a circle.
 *   Every later step draws on it and therefore runs under the locks.
 * - `judged`: what becomes of each message. It sees the database as it was when the statement began, before any wait for a
 *   lock. A double that another node committed during that wait is caught by the unique indexes, which fail the statement;
 *   a membership that changed during it is seen by comparing what was locked with what the statement began with
 *   (`overtaken`), and then nothing is stored. In both cases `send` runs the statement again, and it sees what it missed.
 * - `moved`: takes the numbers. PostgreSQL re-reads a row it had to wait for, so `seq` is the newest.
 * - `inserted`: in the order of ids, because two nodes that store the same chosen ids, in different conversations, wait for
 *   each other at the unique index.
 * - `counted`: a sender's own messages never count as unread to them.
 *
 * Times come from the database and never run backwards within a conversation.
 */
const SEND = `
with input as materialized (
  select * from json_to_recordset($1::text::json) as row (
    n integer, id text, id_from_client boolean, conversation_id text, sender_id text, client_id text, text text,
    media_url text, media_type text, message_type text, attachments jsonb, reply_to text, reply_quote jsonb,
    is_story_reply boolean, file_identifier text, media_url_expiration text, opens_conversation boolean
  )
), locked as materialized (
  select id, membership from conversations where id in (select conversation_id from input) order by id for update
), overtaken as materialized (
  select from locked join conversations as seen using (id) where seen.membership <> locked.membership
), judged as materialized (
  select input.*, case
    when exists (select from overtaken) then 'overtaken'
    when not exists (
      select from members
      where members.conversation_id = locked.id and members.user_id = input.sender_id
    ) then 'not_a_member'
    when input.client_id is not null and exists (
      select from messages
      where messages.conversation_id = locked.id and messages.sender_id = input.sender_id
        and messages.client_id = input.client_id
    ) then 'repeated'
    when input.id_from_client and exists (select from messages where messages.id = input.id) then 'id_taken'
    when input.reply_to is not null and not exists (
      select from messages where messages.id = input.reply_to and messages.conversation_id = locked.id
    ) then 'unknown_reply'
    else 'stored'
  end as status
  from input left join locked on locked.id = input.conversation_id
), numbered as materialized (
  select n, row_number() over (partition by conversation_id order by n) as place from judged where status = 'stored'
), moved as (
  update conversations
  set seq = seq + batch.size,
      message_count = message_count + batch.size,
      updated_at = greatest(updated_at, now()::timestamptz(3))
  from (select conversation_id, count(*) as size from judged where status = 'stored' group by conversation_id) as batch
  where conversations.id = batch.conversation_id
  returning id, seq - batch.size as seq, message_count - batch.size as message_count, updated_at, membership
), inserted as (
  insert into messages (
    id, conversation_id, seq, changed_seq, ordinal, sender_id, client_id, text, media_url, media_type, message_type,
    attachments, reply_to, reply_quote, is_story_reply, file_identifier, media_url_expiration, opens_conversation, created_at
  )
  select judged.id, moved.id, moved.seq + place, moved.seq + place, moved.message_count + place, sender_id, client_id,
    text, media_url, media_type, message_type, attachments, reply_to, reply_quote, is_story_reply, file_identifier,
    media_url_expiration, opens_conversation, moved.updated_at
  from judged join numbered using (n) join moved on moved.id = judged.conversation_id
  order by judged.id
  returning conversation_id, sender_id
), counted as (
  update members set own_after = own_after + sent.size
  from (
    select conversation_id, sender_id, count(*) as size from inserted
    group by conversation_id, sender_id order by conversation_id, sender_id
  ) as sent
  where members.conversation_id = sent.conversation_id and members.user_id = sent.sender_id
)
select judged.n, judged.status, (moved.seq + place)::float8 as seq, moved.membership::float8 as membership,
  (extract(epoch from moved.updated_at) * 1000)::float8 as created_at
from judged left join numbered using (n) left join moved on moved.id = judged.conversation_id
order by judged.n`;

export function sendStore({ writer, drizzle }: Database): Pick<MessageStore, "send"> {
  /** Each unique violation means that somebody else's commit became visible, so the next try sees at least one more. */
  async function commit(batch: string, tries: number): Promise<Row[]> {
    try {
      const rows = await writer.query(SEND, [batch]);
      return rows[0]?.status === "overtaken" ? commit(batch, tries) : rows;
    } catch (error) {
      if (tries <= 1 || !isUniqueViolation(error)) throw error;
      return commit(batch, tries - 1);
    }
  }

  /** Null while storage does not answer: the batch is committed, and its other messages are not to be denied for it. */
  async function firstIfRead(sent: NewMessage): Promise<Message | null> {
    try {
      return await answering(() => firstOf(sent));
    } catch (error) {
      if (error instanceof StorageUnavailable) return null;
      throw error;
    }
  }

  async function firstOf(sent: NewMessage): Promise<Message> {
    const { conversationId, sender, clientId } = sent;
    if (clientId === null) throw new Error("a message without a client id cannot be a repetition");
    const [row] = await selectMessages(
      drizzle,
      and(
        eq(messages.conversationId, conversationId),
        eq(messages.senderId, sender.id),
        eq(messages.clientId, clientId),
      ),
    );
    if (row === undefined) throw new Error("a repeated message was not found");
    return toMessage(row);
  }

  return {
    send: async (batch) => {
      const rows = await commit(JSON.stringify(batch.map(toInput)), batch.length + 1);
      return Promise.all(
        batch.map(async (sent, n): Promise<SendOutcome> => {
          const row = rows[n];
          switch (row?.status) {
            case "stored":
              return { status: "stored", change: toChange(sent, row) };
            case "repeated":
              return { status: "repeated", message: await firstIfRead(sent) };
            case "not_a_member":
            case "id_taken":
            case "unknown_reply":
              return { status: row.status };
            default:
              throw new Error(`the batch gave no outcome for its message ${n}`);
          }
        }),
      );
    },
  };
}

function toInput(message: NewMessage, n: number) {
  return {
    n,
    id: message.id,
    id_from_client: message.idFromClient,
    conversation_id: message.conversationId,
    sender_id: message.sender.id,
    client_id: message.clientId,
    text: message.text,
    media_url: message.mediaUrl,
    media_type: message.mediaType,
    message_type: message.messageType,
    attachments: message.attachments.length === 0 ? null : message.attachments,
    reply_to: message.replyTo,
    reply_quote: message.replyQuote,
    is_story_reply: message.isStoryReply,
    file_identifier: message.fileIdentifier,
    media_url_expiration: message.mediaUrlExpiration,
    opens_conversation: message.opensConversation,
  };
}

function toChange(
  { idFromClient, ...sent }: NewMessage,
  row: Row,
): Extract<SendOutcome, { status: "stored" }>["change"] {
  const seq = toNumber(row.seq);
  return {
    type: "message_created",
    conversationId: sent.conversationId,
    seq,
    membership: toNumber(row.membership),
    actor: { id: sent.sender.id, username: sent.sender.username },
    message: {
      ...sent,
      seq,
      changedSeq: seq,
      createdAt: new Date(toNumber(row.created_at)).toISOString(),
      editedAt: null,
      deletedAt: null,
      deletedBy: null,
      pinnedAt: null,
      pinnedBy: null,
    },
  };
}
