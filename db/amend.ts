/**
 * Edits, deletions, pins and read marks: one transaction for a batch of them, a constant number of statements, under the
 * locks of the conversations they concern (taken in the order of their ids, as sending does).
 */
import { and, eq, sql } from "drizzle-orm";
import type { Change } from "../server/core/events.ts";
import type { Message, Profile } from "../server/core/model.ts";
import type { Amendment, AmendmentContext, AmendOutcome, Judgement, MessageStore } from "../server/core/store.ts";
import { writeChanges } from "./amend-writes.ts";
import { isAnyOf } from "./arrays.ts";
import type { Database, Drizzle } from "./client.ts";
import { writeReadMarks } from "./read-marks.ts";
import { type MessageRow, profileColumns, selectMessages, toMessage, toNumber } from "./rows.ts";
import { conversations, members, messages, users } from "./schema.ts";

export function amendStore({ writer }: Pick<Database, "writer">): Pick<MessageStore, "amend"> {
  return {
    amend: (amendments, judge) =>
      writer.transaction(async (transaction) => {
        const scene = await load(transaction, amendments);
        const outcomes = new Map<Amendment, AmendOutcome>();
        const changes: Change[] = [];
        for (const amendment of amendments) {
          if (amendment.kind === "read") continue;
          const outcome = apply(scene, amendment, judge);
          outcomes.set(amendment, outcome);
          if (outcome.status === "changed") changes.push(outcome.change);
        }
        if (changes.length > 0) await writeChanges(transaction, scene, changes);
        const reads = amendments.filter((amendment) => amendment.kind === "read");
        if (reads.length > 0) await writeReadMarks(transaction, scene, reads, outcomes);
        return amendments.map((amendment) => {
          const outcome = outcomes.get(amendment);
          if (outcome === undefined) throw new Error(`no outcome for a ${amendment.kind}`);
          return outcome;
        });
      }),
  };
}

export interface LockedConversation {
  readonly id: string;
  readonly creatorId: string | null;
  readonly membersCount: number;
  readonly membership: number;
  readonly messageCount: number;
  seq: number;
  reads: number;
  /** What a change committed now is dated: the database's time, never before the conversation's last. */
  readonly now: string;
}

/** What a batch concerns, as it stands under the locks; changed step by step as the amendments are applied. */
export interface Scene {
  readonly conversations: ReadonlyMap<string, LockedConversation>;
  /** By `messageKey`. */
  readonly messages: Map<string, Message>;
  /** Also the place of a message among its conversation's, by `messageKey`. */
  readonly ordinals: ReadonlyMap<string, number>;
  /** Where it is to happen; undefined: nowhere that its user may see. */
  conversationOf(amendment: Amendment): LockedConversation | undefined;
  member(conversationId: string, userId: string): { readonly profile: Profile; readonly cursor: number } | undefined;
}

/** A message's id is its conversation's: elsewhere the same id is another message. */
export function messageKey(conversationId: string, messageId: string): string {
  return JSON.stringify([conversationId, messageId]);
}

async function load(transaction: Drizzle, amendments: readonly Amendment[]): Promise<Scene> {
  const messageIds = [...new Set(amendments.flatMap(({ messageId }) => messageId ?? []))];
  const places = await placesOf(transaction, amendments);
  const conversationIds = [...new Set(places.values())];
  const locked = await transaction
    .select({
      id: conversations.id,
      creatorId: conversations.creatorId,
      membersCount: conversations.membersCount,
      membership: conversations.membership,
      messageCount: conversations.messageCount,
      seq: conversations.seq,
      reads: conversations.reads,
      now: sql`(extract(epoch from greatest(${conversations.updatedAt}, now()::timestamptz(3))) * 1000)::float8`.mapWith(
        (milliseconds) => new Date(toNumber(milliseconds)).toISOString(),
      ),
    })
    .from(conversations)
    .where(isAnyOf(conversations.id, conversationIds))
    .orderBy(conversations.id)
    .for("update");
  const userIds = [...new Set(amendments.map(({ userId }) => userId))];
  const memberRows = await transaction
    .select({ conversationId: members.conversationId, cursor: members.cursorSeq, profile: profileColumns })
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .where(and(isAnyOf(members.conversationId, conversationIds), isAnyOf(members.userId, userIds)));
  const messageRows =
    messageIds.length === 0
      ? []
      : await selectMessages(
          transaction,
          and(isAnyOf(messages.id, messageIds), isAnyOf(messages.conversationId, conversationIds)),
        );
  const memberKey = (conversationId: string, userId: string) => JSON.stringify([conversationId, userId]);
  const memberByKey = new Map(memberRows.map((row) => [memberKey(row.conversationId, row.profile.id), row]));
  const keyOf = ({ message }: MessageRow) => messageKey(message.conversationId, message.id);
  const lockedById = new Map(locked.map((row) => [row.id, row]));
  return {
    conversations: lockedById,
    messages: new Map(messageRows.map((row) => [keyOf(row), toMessage(row)])),
    ordinals: new Map(messageRows.map((row) => [keyOf(row), row.message.ordinal])),
    conversationOf: (amendment) => lockedById.get(places.get(amendment) ?? ""),
    member: (conversationId, userId) => memberByKey.get(memberKey(conversationId, userId)),
  };
}

/** The conversation of each amendment; none for one whose message is nowhere that its user is. */
async function placesOf(transaction: Drizzle, amendments: readonly Amendment[]): Promise<Map<Amendment, string>> {
  const places = new Map<Amendment, string>();
  const unplaced = amendments.filter(({ conversationId }) => conversationId === null);
  for (const amendment of amendments) {
    if (amendment.conversationId !== null) places.set(amendment, amendment.conversationId);
  }
  if (unplaced.length === 0) return places;
  // Where a message is never changes, so it may be asked before the lock; who is a member is looked at again under it.
  const candidates = await transaction
    .select({
      messageId: messages.id,
      conversationId: messages.conversationId,
      senderId: messages.senderId,
      createdAt: messages.createdAt,
      creatorId: conversations.creatorId,
      userId: members.userId,
    })
    .from(messages)
    .innerJoin(members, eq(members.conversationId, messages.conversationId))
    .innerJoin(conversations, eq(conversations.id, messages.conversationId))
    .where(
      and(
        isAnyOf(messages.id, [...new Set(unplaced.flatMap(({ messageId }) => messageId ?? []))]),
        isAnyOf(members.userId, [...new Set(unplaced.map(({ userId }) => userId))]),
      ),
    );
  for (const amendment of unplaced) {
    const { messageId, userId, kind } = amendment;
    // Of several messages with the id: one's own to change, one's group's to delete, then the first that there was, since
    // whoever copies an id comes later.
    const rank = ({ senderId, creatorId }: (typeof candidates)[number]) => {
      if (kind !== "edit" && kind !== "delete") return 0;
      if (senderId === userId) return 0;
      return kind === "delete" && creatorId === userId ? 1 : 2;
    };
    const [best] = candidates
      .filter((candidate) => candidate.messageId === messageId && candidate.userId === userId)
      .sort(
        (one, other) =>
          rank(one) - rank(other) ||
          one.createdAt.getTime() - other.createdAt.getTime() ||
          (one.conversationId < other.conversationId ? -1 : 1),
      );
    if (best !== undefined) places.set(amendment, best.conversationId);
  }
  return places;
}

function apply(
  scene: Scene,
  amendment: Exclude<Amendment, { kind: "read" }>,
  judge: (amendment: Amendment, context: AmendmentContext) => Judgement,
): AmendOutcome {
  const conversation = scene.conversationOf(amendment);
  const key = messageKey(conversation?.id ?? "", amendment.messageId);
  const message = scene.messages.get(key);
  const member = conversation && scene.member(conversation.id, amendment.userId);
  if (message === undefined || conversation === undefined || member === undefined) return { status: "forbidden" };
  const judgement = judge(amendment, { message, creatorId: conversation.creatorId });
  switch (judgement) {
    case "forbidden":
    case "empty":
      return { status: judgement };
    case "unchanged":
      return { status: "unchanged", message };
    case "apply": {
      conversation.seq += 1;
      const actor = { id: member.profile.id, username: member.profile.username };
      const changed = amended({ ...message, changedSeq: conversation.seq }, amendment, actor, conversation.now);
      scene.messages.set(key, changed);
      const common = {
        conversationId: conversation.id,
        seq: conversation.seq,
        membership: conversation.membership,
        message: changed,
        actor,
      };
      return { status: "changed", change: toChange(amendment, common) };
    }
  }
}

function amended(
  message: Message,
  amendment: Exclude<Amendment, { kind: "read" }>,
  actor: { id: string; username: string },
  now: string,
): Message {
  switch (amendment.kind) {
    case "edit":
      return { ...message, text: amendment.text, editedAt: now };
    case "pin":
      return { ...message, pinnedAt: amendment.pinned ? now : null, pinnedBy: amendment.pinned ? actor : null };
    case "delete":
      return {
        ...message,
        text: "",
        mediaUrl: null,
        mediaType: null,
        messageType: null,
        attachments: [],
        replyTo: null,
        replyQuote: null,
        isStoryReply: false,
        clientId: null,
        opensConversation: false,
        fileIdentifier: null,
        mediaUrlExpiration: null,
        deletedAt: now,
        deletedBy: actor,
        pinnedAt: null,
        pinnedBy: null,
      };
  }
}

function toChange(
  amendment: Exclude<Amendment, { kind: "read" }>,
  change: Omit<Extract<Change, { type: "message_edited" }>, "type">,
): Change {
  switch (amendment.kind) {
    case "edit":
      return { type: "message_edited", ...change };
    case "delete":
      return { type: "message_deleted", ...change };
    case "pin":
      return { type: "message_pinned", ...change, pinned: amendment.pinned };
  }
}
