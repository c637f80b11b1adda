import { type SQL, sql } from "drizzle-orm";
import { QUOTED_CHARS } from "./rows.ts";

/**
 * The statements that store a batch of messages. Three do the same, for a message alone, for a batch in one conversation
 * and for one in several: all of it or nothing, in one round trip and one commit, whatever the number of messages and
 * members. They differ in how many parts there are to set up, which is most of what a small batch costs. On PostgreSQL 15,
 * a message alone, after a pause: 0.53 ms by the first, 0.62 by the second, where a plain INSERT takes 0.41. Eight in one
 * conversation, one batch after the other: 0.48 ms by the second, 0.78 by the third.
 *
 * They store nothing, and return nothing, when somebody is no member, or an answered message is not there; where a client
 * id or a chosen id is taken they fail at the unique index. `judgement` then says which message it was.
 *
 * What they have in common:
 * - A statement sees the database as it was when it began, before any wait for a lock. A double that another node commits
 *   during that wait is caught by the unique indexes; a membership that changes during it, by comparing the version that was
 *   locked with the one that the statement began with.
 * - PostgreSQL re-reads a row that it had to wait for, so `seq` is the newest.
 * - A sender's own messages never count as unread to them: `own_after`. Who sent one may be known: `has_written`.
 * - Times come from the database and never run backwards within a conversation.
 * - Rows are found by keys that are arrays or that a list of the batch is joined to row by row, and an answered message by
 *   its whole key: a plan that was made while the tables were small then remains right.
 *
 * They return a row for each conversation: its `place` in the batch, the `seq` before the batch, `membership`, and
 * `created_at` in milliseconds; in the first of them `quotes`, the answered messages as they are: JSON, null without any.
 */

/** `c`: the place of the conversation. */
function quotesFrom(answers: string, c: string): string {
  return `(
    select json_agg(json_build_object(
      'c', ${c}, 'id', quoted.id, 'text', left(quoted.text, ${QUOTED_CHARS}), 'sender_id', quoter.id,
      'first_name', quoter.first_name, 'last_name', quoter.last_name,
      'created_at', (extract(epoch from quoted.created_at) * 1000)::float8, 'is_deleted', quoted.deleted_at is not null
    ))::text from ${answers} join users as quoter on quoter.id = quoted.sender_id
  )`;
}

/** $1 conversation, $2 sender; $3 to $14 the message, in the order of the insert. */
export const STORE_ALONE = `
with moved as (
  update conversations
  set seq = seq + 1, message_count = message_count + 1, updated_at = greatest(updated_at, now()::timestamptz(3))
  where id = $1::text
    and membership = (select membership from conversations where id = $1::text)
    and exists (select from members where conversation_id = $1::text and user_id = $2::text)
    and ($9::text is null or exists (select from messages where id = $9::text and conversation_id = $1::text))
  returning seq, message_count, updated_at, membership
), inserted as (
  insert into messages (
    conversation_id, seq, changed_seq, ordinal, created_at, sender_id, id, client_id, text, media_url, media_type,
    message_type, reply_to, attachments, is_story_reply, file_identifier, media_url_expiration, opens_conversation
  )
  select $1::text, seq, seq, message_count, updated_at, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text,
    $8::text, $9::text, $10::text, $11::text::boolean, $12::text, $13::text, $14::text::boolean
  from moved
), counted as (
  update members set own_after = own_after + 1, has_written = true
  where conversation_id = $1::text and user_id = $2::text and exists (select from moved)
)
select 1 as place, seq::float8 - 1 as seq, membership::float8,
  (extract(epoch from updated_at) * 1000)::float8 as created_at,
  case when $9::text is not null then ${quotesFrom(
    "(select * from messages where id = $9::text and conversation_id = $1::text) as quoted",
    "1",
  )} end as quotes
from moved`;

/** `c`: which of the batch's conversations, from 1; `p`: which message in it, from 1. */
const INPUT = `
input as materialized (
  select * from json_to_recordset($1::text::json) as row (
    c integer, p integer, id text, sender_id text, client_id text, text text, media_url text, media_type text,
    message_type text, attachments text, reply_to text, is_story_reply boolean, file_identifier text,
    media_url_expiration text, opens_conversation boolean
  )
)`;

const COLUMNS = `
id, conversation_id, seq, changed_seq, ordinal, created_at, sender_id, client_id, text, media_url, media_type,
message_type, attachments, reply_to, is_story_reply, file_identifier, media_url_expiration, opens_conversation`;

const CONTENT = `
sender_id, client_id, text, media_url, media_type, message_type, attachments, reply_to,
coalesce(is_story_reply, false), file_identifier, media_url_expiration, coalesce(opens_conversation, false)`;

const STEP =
  "seq = seq + size, message_count = message_count + size, updated_at = greatest(updated_at, now()::timestamptz(3))";

const PLACE = `
seq::float8, membership::float8, (extract(epoch from updated_at) * 1000)::float8 as created_at`;

/** $1 messages, $2 conversation, $3 how many messages, $4 senders, $5 how many each of them sent. */
export const STORE_IN_ONE = `
with ${INPUT}, moved as (
  update conversations set ${STEP}
  from (select $3::text::integer as size) as batch
  where id = $2::text
    and membership = (select membership from conversations where id = $2::text)
    and cardinality($4::text[]) = (
      select count(*) from members where conversation_id = $2::text and user_id = any($4::text[])
    )
    and not exists (
      select from input where reply_to is not null
        and not exists (select from messages where id = input.reply_to and conversation_id = $2::text)
    )
  returning seq - size as seq, message_count - size as message_count, updated_at, membership
), inserted as (
  insert into messages (${COLUMNS})
  select id, $2::text, seq + p, seq + p, message_count + p, updated_at, ${CONTENT}
  from moved, input
), counted as (
  update members set own_after = own_after + ($5::integer[])[array_position($4::text[], user_id)], has_written = true
  where conversation_id = $2::text and user_id = any($4::text[]) and exists (select from moved)
)
select 1 as place, ${PLACE}, ${quotesFrom(
  `(select distinct reply_to from input where reply_to is not null) as answer
    join messages as quoted on quoted.id = answer.reply_to and quoted.conversation_id = $2::text`,
  "1",
)} as quotes
from moved`;

/**
 * $1 messages, $2 conversations, $3 how many messages in each; $4 conversations and $5 senders, pair by pair, $6 how many
 * each of these sent.
 *
 * - `locked`: the conversations' rows, in the order of their ids, so that two nodes cannot wait for each other in a circle.
 *   Every later step draws on it and therefore runs under the locks.
 * - `places`: what the messages take from their conversation, to be found by its number instead of by a join.
 */
export const STORE_IN_SEVERAL = `
with ${INPUT}, batch as materialized (
  select ordinality::integer as place, id, size from unnest($2::text[], $3::integer[]) with ordinality as batch (id, size)
), sent as materialized (
  select * from unnest($4::text[], $5::text[], $6::integer[]) as sent (conversation_id, sender_id, size)
), locked as materialized (
  select id, membership from conversations where id = any($2::text[]) order by id for update
), verdict as materialized (
  select cardinality($2::text[]) = (
    select count(*) from locked join conversations as seen using (id) where seen.membership = locked.membership
  ) and cardinality($4::text[]) = (
    select count(*) from sent join members on members.conversation_id = sent.conversation_id and user_id = sender_id
  ) and not exists (
    select from input where reply_to is not null
      and not exists (select from messages where id = input.reply_to and conversation_id = ($2::text[])[c])
  ) as is_good
), moved as (
  update conversations set ${STEP}
  from batch where conversations.id = batch.id and (select is_good from verdict)
  returning place, seq - size as seq, message_count - size as message_count, updated_at, membership
), places as materialized (
  select array_agg(seq order by place) as seqs, array_agg(message_count order by place) as counts,
    array_agg(updated_at order by place) as times
  from moved
), inserted as (
  insert into messages (${COLUMNS})
  select id, ($2::text[])[c], seqs[c] + p, seqs[c] + p, counts[c] + p, times[c], ${CONTENT}
  from places, input where seqs is not null
), counted as (
  update members set own_after = own_after + size, has_written = true
  from sent
  where members.conversation_id = sent.conversation_id and user_id = sender_id and (select is_good from verdict)
)
select place, ${PLACE}, case when place = 1 then ${quotesFrom(
  `(select distinct c, reply_to from input where reply_to is not null) as answer
    join messages as quoted on quoted.id = answer.reply_to and quoted.conversation_id = ($2::text[])[c]`,
  "c",
)} end as quotes
from moved`;

/**
 * Why each of those that cannot be stored cannot; no row for the others. It locks nothing and promises nothing: what it
 * passes is tried again. Not prepared, so that it is planned for the tables as they are. `input`: JSON of the messages.
 */
export function judgement(input: string): SQL {
  return sql`
select n, refusal from (
  select n, case
    when not exists (
      select from members where members.conversation_id = row.conversation_id and user_id = row.sender_id
    ) then 'not_a_member'
    when client_id is not null and exists (
      select from messages
      where messages.conversation_id = row.conversation_id and messages.sender_id = row.sender_id
        and messages.client_id = row.client_id
    ) then 'repeated'
    when id_from_client and exists (
      select from messages where messages.id = row.id and messages.conversation_id = row.conversation_id
    ) then 'id_taken'
    when reply_to is not null and not exists (
      select from messages where messages.id = row.reply_to and messages.conversation_id = row.conversation_id
    ) then 'unknown_reply'
  end as refusal
  from json_to_recordset(${input}::text::json) as row (
    n integer, id text, id_from_client boolean, conversation_id text, sender_id text, client_id text, reply_to text
  )
) as judged where refusal is not null`;
}
