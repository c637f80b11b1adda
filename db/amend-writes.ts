import { sql } from "drizzle-orm";
import type { Change } from "../server/core/events.ts";
import { messageKey, type Scene } from "./amend.ts";
import type { Drizzle } from "./client.ts";

/** Stores applied changes: four statements, whatever their number. */
export async function writeChanges(transaction: Drizzle, scene: Scene, changes: readonly Change[]): Promise<void> {
  await writeMessages(transaction, scene, changes);
  await transaction.execute(sql`
    insert into changes (conversation_id, seq, message_id, kind, actor_id)
    select * from json_to_recordset(${JSON.stringify(changes.map(toRow))}::text::json)
      as row (conversation_id text, seq bigint, message_id text, kind text, actor_id text)`);
  const touched = [...new Set(changes.map((change) => change.conversationId))].flatMap(
    (id) => scene.conversations.get(id) ?? [],
  );
  await transaction.execute(sql`
    update conversations set seq = row.seq, updated_at = row.now
    from json_to_recordset(${JSON.stringify(touched)}::text::json) as row (id text, seq bigint, now timestamptz)
    where conversations.id = row.id`);
  const deleted = changes.filter((change) => change.type === "message_deleted");
  if (deleted.length > 0) await countDeletions(transaction, deleted);
}

async function writeMessages(transaction: Drizzle, scene: Scene, changes: readonly Change[]): Promise<void> {
  const keys = new Set(changes.map((change) => messageKey(change.conversationId, change.message.id)));
  const states = [...keys].flatMap((key) => {
    const message = scene.messages.get(key);
    if (message === undefined) return [];
    return {
      id: message.id,
      conversation_id: message.conversationId,
      changed_seq: message.changedSeq,
      text: message.text,
      edited_at: message.editedAt,
      deleted_at: message.deletedAt,
      deleted_by: message.deletedBy?.id ?? null,
      pinned_at: message.pinnedAt,
      pinned_by: message.pinnedBy?.id ?? null,
    };
  });
  // A tombstone keeps its place and nothing of its content; the client id stays for the index that knows it sent twice.
  const unlessDeleted = (column: string) => sql.raw(`case when row.deleted_at is null then messages.${column} end`);
  await transaction.execute(sql`
    update messages set
      changed_seq = row.changed_seq, text = row.text, edited_at = row.edited_at,
      deleted_at = row.deleted_at, deleted_by = row.deleted_by, pinned_at = row.pinned_at, pinned_by = row.pinned_by,
      media_url = ${unlessDeleted("media_url")}, media_type = ${unlessDeleted("media_type")},
      attachments = ${unlessDeleted("attachments")}, reply_to = ${unlessDeleted("reply_to")},
      message_type = ${unlessDeleted("message_type")}, file_identifier = ${unlessDeleted("file_identifier")},
      media_url_expiration = ${unlessDeleted("media_url_expiration")},
      is_story_reply = messages.is_story_reply and row.deleted_at is null,
      opens_conversation = messages.opens_conversation and row.deleted_at is null
    from json_to_recordset(${JSON.stringify(states)}::text::json) as row (
      id text, conversation_id text, changed_seq bigint, text text, edited_at timestamptz, deleted_at timestamptz, deleted_by text,
      pinned_at timestamptz, pinned_by text
    )
    where messages.id = row.id and messages.conversation_id = row.conversation_id`);
}

/**
 * The one change that touches other members' rows: who had not read a deleted message has one less to read. A deletion
 * therefore costs a row for each member who is behind it; a message never does.
 */
async function countDeletions(transaction: Drizzle, deletions: readonly Change[]): Promise<void> {
  const rows = deletions.map(({ message }) => ({
    conversation_id: message.conversationId,
    seq: message.seq,
    sender_id: message.sender.id,
  }));
  await transaction.execute(sql`
    update members set deleted_after = members.deleted_after + behind.size
    from (
      select members.conversation_id, members.user_id, count(*) as size
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as row (conversation_id text, seq bigint, sender_id text)
      join members on members.conversation_id = row.conversation_id
        and members.cursor_seq < row.seq and members.user_id <> row.sender_id
      group by members.conversation_id, members.user_id
    ) as behind
    where members.conversation_id = behind.conversation_id and members.user_id = behind.user_id`);
}

function toRow(change: Change) {
  return {
    conversation_id: change.conversationId,
    seq: change.seq,
    message_id: change.message.id,
    kind: kindOf(change),
    actor_id: change.actor.id,
  };
}

function kindOf(change: Change): "edited" | "deleted" | "pinned" | "unpinned" {
  switch (change.type) {
    case "message_edited":
      return "edited";
    case "message_deleted":
      return "deleted";
    case "message_pinned":
      return change.pinned ? "pinned" : "unpinned";
    case "message_created":
      throw new Error("a creation is stored with its message");
  }
}
