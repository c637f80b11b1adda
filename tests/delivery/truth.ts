import { StorageUnavailable } from "../../server/core/errors.ts";
import type { Change, MemberRemoved, MessagesRead, UserEvent } from "../../server/core/events.ts";
import type { Message, Profile, Standing } from "../../server/core/model.ts";
import type { DeliveryStore, Membership, Position, UnreadStore } from "../../server/core/store.ts";

export type TruthStore = Omit<DeliveryStore, "changedSince"> & UnreadStore;

interface Conversation {
  readonly changes: Change[];
  /** By user id. */
  readonly members: Map<string, { readonly from: number; cursor: number }>;
  membership: number;
  reads: number;
}

/**
 * What delivery is measured by: every change there ever was, kept in memory, and the questions that `DeliveryStore` answers
 * about it. A question is answered with what was true when it was asked, as late as `latencies` say (ms, over and over):
 * the oldest answer that a database may give.
 */
export class Truth implements TruthStore {
  /** While true, every question is rejected with `StorageUnavailable`. */
  isAway = false;
  readonly asked: { readonly question: keyof TruthStore; readonly size: number }[] = [];
  readonly #latencies: readonly number[];
  readonly #conversations = new Map<string, Conversation>();
  #questions = 0;

  constructor(latencies: readonly number[] = []) {
    this.#latencies = latencies;
  }

  create(conversationId: string, userIds: readonly string[]): void {
    const members = new Map(userIds.map((userId) => [userId, { from: 0, cursor: 0 }]));
    this.#conversations.set(conversationId, { changes: [], members, membership: 1, reads: 0 });
  }

  seq(conversationId: string): number {
    return this.#of(conversationId).changes.length;
  }

  membership(conversationId: string): number {
    return this.#of(conversationId).membership;
  }

  isMember(conversationId: string, userId: string): boolean {
    return this.#of(conversationId).members.has(userId);
  }

  send(conversationId: string, senderId: string): Change {
    const seq = this.seq(conversationId) + 1;
    const message = messageOf(conversationId, seq, profileOf(senderId));
    return this.#add(conversationId, { type: "message_created", message, actor: message.sender });
  }

  /** Null when there is no such message, or it was deleted before. */
  delete(conversationId: string, messageSeq: number): Change | null {
    const { changes } = this.#of(conversationId);
    const message = changes[messageSeq - 1]?.message;
    const isDeleted = changes.some((change) => change.type === "message_deleted" && change.message.id === message?.id);
    if (message === undefined || changes[messageSeq - 1]?.type !== "message_created" || isDeleted) return null;
    const deleted = { ...message, changedSeq: changes.length + 1, deletedAt: TIME, deletedBy: message.sender };
    return this.#add(conversationId, { type: "message_deleted", message: deleted, actor: message.sender });
  }

  /** Null when there is nothing to read that was not read. */
  read(conversationId: string, userId: string): MessagesRead | null {
    const conversation = this.#of(conversationId);
    const member = conversation.members.get(userId);
    const message = conversation.changes.findLast((change) => change.type === "message_created")?.message;
    if (member === undefined || message === undefined || message.seq <= member.cursor) return null;
    member.cursor = message.seq;
    conversation.reads += 1;
    return {
      type: "messages_read",
      conversationId,
      user: profileOf(userId),
      messageId: message.id,
      seq: message.seq,
      readAt: TIME,
      unread: this.unread(conversationId, userId),
      asOf: conversation.changes.length,
      reads: conversation.reads,
      announced: true,
    };
  }

  add(conversationId: string, userId: string): Extract<UserEvent, { type: "conversation_joined" }> {
    const conversation = this.#of(conversationId);
    const from = conversation.changes.length;
    conversation.membership += 1;
    conversation.members.set(userId, { from, cursor: from });
    const { membership } = conversation;
    return { type: "conversation_joined", userId, conversationId, from, membership, otherId: null };
  }

  remove(conversationId: string, userId: string): { removed: MemberRemoved; left: UserEvent } {
    const conversation = this.#of(conversationId);
    conversation.membership += 1;
    conversation.members.delete(userId);
    const { membership, members } = conversation;
    const user = profileOf(userId);
    const removed: MemberRemoved = {
      type: "member_removed",
      conversationId,
      user,
      actor: user,
      membership,
      membersCount: members.size,
      creatorId: null,
    };
    return { removed, left: { type: "conversation_left", userId, conversationId, membership } };
  }

  /** Counted anew. */
  unread(conversationId: string, userId: string): number {
    const { changes, members } = this.#of(conversationId);
    const member = members.get(userId);
    if (member === undefined) return 0;
    const others = changes.filter(({ message }) => message.sender.id !== userId && message.seq > member.cursor);
    const count = (type: Change["type"]) => others.filter((change) => change.type === type).length;
    return count("message_created") - count("message_deleted");
  }

  total(userId: string): number {
    return [...this.#conversations.keys()].reduce((total, id) => total + this.unread(id, userId), 0);
  }

  changes(conversationId: string, after: number, upTo: number, limit: number): Promise<Change[]> {
    const { changes, membership } = this.#of(conversationId);
    const found = changes.slice(after, Math.min(upTo, after + limit)).map((change) => ({ ...change, membership }));
    return this.#answer("changes", found.length, found);
  }

  positions(conversationIds: readonly string[]): Promise<Position[]> {
    const found = conversationIds.map((conversationId) => {
      const { changes, membership, reads, members } = this.#of(conversationId);
      return { conversationId, seq: changes.length, membership, reads, membersCount: members.size };
    });
    return this.#answer("positions", found.length, found);
  }

  membersAmong(conversationId: string, userIds: readonly string[]): Promise<{ membership: number; userIds: string[] }> {
    const { membership, members } = this.#of(conversationId);
    const found = { membership, userIds: userIds.filter((userId) => members.has(userId)) };
    return this.#answer("membersAmong", userIds.length, found);
  }

  memberships(userId: string): Promise<Membership[]> {
    const found = [...this.#conversations].flatMap(([conversationId, { members, membership }]) => {
      const member = members.get(userId);
      return member === undefined ? [] : [{ conversationId, from: member.from, membership, otherId: null }];
    });
    return this.#answer("memberships", found.length, found);
  }

  conversationCounts(userIds: readonly string[]): Promise<{ userId: string; conversations: number }[]> {
    const all = [...this.#conversations.values()];
    const found = userIds
      .map((userId) => ({ userId, conversations: all.filter(({ members }) => members.has(userId)).length }))
      .filter(({ conversations }) => conversations > 0);
    return this.#answer("conversationCounts", userIds.length, found);
  }

  standings(userId: string): Promise<Standing[]> {
    const found = [...this.#conversations.keys()].flatMap((id) => this.#standing(userId, id) ?? []);
    return this.#answer("standings", found.length, found);
  }

  standing(userId: string, conversationId: string): Promise<Standing | null> {
    return this.#answer("standing", 1, this.#standing(userId, conversationId));
  }

  #standing(userId: string, conversationId: string): Standing | null {
    const { members, changes } = this.#of(conversationId);
    const cursor = members.get(userId)?.cursor;
    if (cursor === undefined) return null;
    return { conversationId, userId, cursor, unread: this.unread(conversationId, userId), asOf: changes.length };
  }

  #add(
    conversationId: string,
    change: Pick<Extract<Change, { type: "message_created" | "message_deleted" }>, "type" | "message" | "actor">,
  ): Change {
    const { changes, membership } = this.#of(conversationId);
    const numbered = { ...change, conversationId, seq: changes.length + 1, membership };
    changes.push(numbered);
    return numbered;
  }

  #answer<T>(question: keyof TruthStore, size: number, answer: T): Promise<T> {
    this.asked.push({ question, size });
    const latency = this.#latencies[this.#questions % this.#latencies.length] ?? 0;
    this.#questions += 1;
    const { isAway } = this;
    return new Promise((resolve, reject) => {
      const settle = () =>
        isAway ? reject(new StorageUnavailable(new Error("a test took it away"))) : resolve(answer);
      if (latency === 0) settle();
      else setTimeout(settle, latency);
    });
  }

  #of(conversationId: string): Conversation {
    const conversation = this.#conversations.get(conversationId);
    if (conversation === undefined) throw new Error(`no conversation ${conversationId}`);
    return conversation;
  }
}

const TIME = "2026-01-01T00:00:00.000Z";

export function profileOf(id: string): Profile {
  return { id, username: id, name: id, firstName: id, lastName: "", avatar: null };
}

function messageOf(conversationId: string, seq: number, sender: Profile): Message {
  return {
    id: `${conversationId}-${seq}`,
    conversationId,
    seq,
    changedSeq: seq,
    sender,
    clientId: null,
    text: `message ${seq}`,
    mediaUrl: null,
    mediaType: null,
    messageType: null,
    attachments: [],
    replyTo: null,
    replyQuote: null,
    isStoryReply: false,
    fileIdentifier: null,
    mediaUrlExpiration: null,
    opensConversation: seq === 1,
    createdAt: TIME,
    editedAt: null,
    deletedAt: null,
    deletedBy: null,
    pinnedAt: null,
    pinnedBy: null,
  };
}
