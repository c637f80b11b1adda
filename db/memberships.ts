/** Members come and go: their rows, and in how many conversations each of them is. */
import { type SQL, sql } from "drizzle-orm";
import { TooManyConversations, TooManyGroups } from "../server/core/errors.ts";
import { type Drizzle, rowsOf } from "./client.ts";
import { toNumber } from "./rows.ts";

type Transaction = Pick<Drizzle, "execute">;

/** Where new members stand: they have nothing unread, for their cursor is at the newest change. */
export interface Place {
  readonly id: string;
  readonly seq: number;
  readonly messageCount: number;
}

/** One parameter, however many ids. */
function ids(userIds: readonly string[]): SQL {
  return sql`json_array_elements_text(${JSON.stringify(userIds)}::text::json) as id`;
}

/** No setting reaches it. */
export const NO_LIMIT = 2 ** 31 - 1;

/**
 * Counts one conversation more for each of them. Their rows are locked in one order, before that of a new conversation, so
 * that two who add the same people cannot wait for each other.
 *
 * @throws TooManyConversations: somebody would be in more than `limit`.
 */
export async function countIn(transaction: Transaction, userIds: readonly string[], limit: number): Promise<void> {
  const counted = await transaction.execute(sql`
    insert into conversation_counts as counts (user_id, conversations)
    select id, 1 from ${ids(userIds)} order by id
    on conflict (user_id) do update set conversations = counts.conversations + 1 where counts.conversations < ${limit}
    returning user_id`);
  if (rowsOf(counted).length < userIds.length) throw new TooManyConversations(limit);
}

export async function countOut(transaction: Transaction, userId: string): Promise<void> {
  await transaction.execute(
    sql`update conversation_counts set conversations = conversations - 1 where user_id = ${userId}`,
  );
}

/** They are none yet. */
export async function insertMembers(transaction: Transaction, place: Place, userIds: readonly string[]): Promise<void> {
  const { id, seq, messageCount } = place;
  await transaction.execute(sql`
    insert into members (conversation_id, user_id, joined_seq, cursor_seq, cursor_count)
    select ${id}, id, ${seq}::bigint, ${seq}::bigint, ${messageCount}::bigint from ${ids(userIds)}`);
}

/** Of these, those who left the group of their own will. They are invited from now on. */
export async function invite(transaction: Transaction, id: string, userIds: readonly string[]): Promise<string[]> {
  const invited = await transaction.execute(sql`
    update departures set invited = true
    where conversation_id = ${id} and user_id in (select id from ${ids(userIds)})
    returning user_id`);
  return rowsOf(invited).map((row) => String(row.user_id));
}

export async function isInvited(transaction: Transaction, id: string, userId: string): Promise<boolean> {
  const found = await transaction.execute(
    sql`select from departures where conversation_id = ${id} and user_id = ${userId} and invited`,
  );
  return rowsOf(found).length > 0;
}

/** Whether they were invited; if so, they are no more. */
export async function acceptInvitation(transaction: Transaction, id: string, userId: string): Promise<boolean> {
  const accepted = await transaction.execute(sql`
    delete from departures where conversation_id = ${id} and user_id = ${userId} and invited returning user_id`);
  return rowsOf(accepted).length > 0;
}

export async function rememberDeparture(transaction: Transaction, id: string, userId: string): Promise<void> {
  await transaction.execute(sql`
    insert into departures (conversation_id, user_id) values (${id}, ${userId})
    on conflict (conversation_id, user_id) do update set invited = false`);
}

/** @throws TooManyGroups: they made `limit` within a day. */
export async function checkGroupsOfDay(transaction: Transaction, userId: string, limit: number): Promise<void> {
  // Whoever makes a group waits here for their own other ones, or all of them would find themselves below the limit.
  await transaction.execute(sql`select from users where id = ${userId} for no key update`);
  const [row] = rowsOf(
    await transaction.execute(sql`
      select ceil(extract(epoch from created_at + interval '1 day' - now()) * 1000)::float8 as wait
      from conversations
      where made_by = ${userId} and type = 'group' and created_at > now() - interval '1 day'
      order by created_at desc offset ${limit - 1} limit 1`),
  );
  if (row !== undefined) throw new TooManyGroups(limit, Math.max(toNumber(row.wait), 1));
}
