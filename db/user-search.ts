/**
 * The statement that searches for users. What it costs is bounded, whatever is looked for and however many users there are:
 * indexes alone serve it, and rows beyond a number are not looked at.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Profile } from "../server/core/model.ts";
import type { Row } from "./client.ts";
import { conversations, members, searchWords, users, WORD_SEPARATORS } from "./schema.ts";

/** Words of a text that are looked for; the others are passed over. */
const MAX_WORDS = 8;
/** Of those who fit, so many are brought into order. */
const MAX_CANDIDATES = 1_000;
/** Members of a user's conversations that are looked at, those of the smallest first. */
const MAX_CONTACTS = 20_000;

const COLUMNS = sql`${users.id}, ${users.username}, ${users.name}, ${users.firstName}, ${users.lastName}, ${users.avatar}`;

/**
 * Null: the text says something, but has no word, so that nobody fits. Who is called by the text exactly is found among any
 * number of others.
 */
export function searchStatement(text: string, limit: number, contactsOf?: string): SQL | null {
  const words = wordsOf(text);
  if (words.length === 0 && text.trim() !== "") return null;
  // Neither a quote nor a backslash is ever in a word. Lower case is the database's, as it is in the index.
  const query = words.map((word) => `'${word}':*`).join(" & ");
  const isFitting = words.length === 0 ? sql`true` : sql`${searchWords(users)} @@ lower(${query})::tsquery`;
  if (contactsOf !== undefined) {
    return sql`
      with contacts as materialized (${contactIds(contactsOf)})
      select ${COLUMNS} from ${users}
      where ${users.id} in (select user_id from contacts) and ${isFitting}
      order by ${users.username} limit ${limit}`;
  }
  if (words.length === 0) return sql`select ${COLUMNS} from ${users} order by ${users.username} limit ${limit}`;
  return sql`
    with candidates as materialized (select ${COLUMNS} from ${users} where ${isFitting} limit ${MAX_CANDIDATES})
    select * from candidates
    union select ${COLUMNS} from ${users} where ${users.username} = ${text}
    order by username limit ${limit}`;
}

/** Nobody pays for a large room who is found through a small one; `offset 0` keeps the rooms apart, so that a limit ends it. */
function contactIds(userId: string): SQL {
  return sql`
    select distinct user_id from (
      select theirs.user_id from (
        select ${conversations.id} from ${members}
        join ${conversations} on ${conversations.id} = ${members.conversationId}
        where ${members.userId} = ${userId}
        order by ${conversations.membersCount}
      ) as mine
      cross join lateral (
        select ${members.userId} from ${members} where ${members.conversationId} = mine.id offset 0
      ) as theirs
      limit ${MAX_CONTACTS}
    ) as nearest`;
}

/** The first words, without those that another one begins with: whoever fits that one fits them. */
function wordsOf(text: string): string[] {
  const words = [...new Set(text.split(new RegExp(WORD_SEPARATORS, "u")).filter((word) => word !== ""))];
  return words.filter((word) => !words.some((other) => other !== word && other.startsWith(word))).slice(0, MAX_WORDS);
}

export function foundProfile(row: Row): Profile {
  return {
    id: String(row.id),
    username: String(row.username),
    name: String(row.name),
    firstName: String(row.first_name),
    lastName: String(row.last_name),
    avatar: row.avatar === null ? null : String(row.avatar),
  };
}
