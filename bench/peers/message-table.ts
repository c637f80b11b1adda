/** The table of the peers that store: one row, and one statement, for each message. */
import type { Message } from "./messages.ts";

export const CREATE_MESSAGES = `
create table if not exists messages (
  id uuid primary key,
  room text not null,
  seq bigint not null,
  sender text not null,
  text text not null,
  created_at timestamptz not null
);
create unique index if not exists messages_room_seq on messages (room, seq);`;

export const INSERT_MESSAGE =
  "insert into messages (id, room, seq, sender, text, created_at) values ($1, $2, $3, $4, $5, $6)";

/** The parameters of `INSERT_MESSAGE`. */
export function messageValues({ id, room, seq, sender, text, createdAt }: Message): unknown[] {
  return [id, room.key, seq, sender.name, text, createdAt];
}
