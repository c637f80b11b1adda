/**
 * Who is in the rooms that this node's `/rooms` sockets are in: the rooms dialect lists them in each message, and a
 * message may not cost a query. Loaded once for a room, kept by membership events, dropped with the last socket.
 */
import type { Conversations } from "../core/conversations.ts";
import type { MemberRemoved, MembersAdded } from "../core/events.ts";
import type { ConversationMember } from "../core/store.ts";
import type { FeedLog } from "../transport/conversation-feed.ts";

interface Entry {
  holders: number;
  membership: number;
  /** Null: a large room, whose members are not listed. */
  userIds: readonly string[] | null;
}

export interface RoomMembersOptions {
  readonly conversations: Pick<Conversations, "members">;
  readonly log: FeedLog;
  /** Above this many a room is large. */
  readonly largeRoomMembers: number;
}

export class RoomMembers {
  readonly #options: RoomMembersOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: RoomMembersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Holds these rooms until `release`, and resolves with their members (of those that are not large) as they are now. */
  async hold(conversationIds: readonly string[]): Promise<ConversationMember[]> {
    for (const id of conversationIds) {
      const entry = this.#entries.get(id);
      if (entry === undefined) this.#entries.set(id, { holders: 1, membership: -1, userIds: null });
      else entry.holders += 1;
    }
    return this.#load(conversationIds);
  }

  release(conversationId: string): void {
    const entry = this.#entries.get(conversationId);
    if (entry === undefined) return;
    entry.holders -= 1;
    if (entry.holders === 0) this.#entries.delete(conversationId);
  }

  /** Everybody in the room; empty in a large one. */
  userIds(conversationId: string): readonly string[] {
    return this.#entries.get(conversationId)?.userIds ?? [];
  }

  /** Every socket in the room hears of the same event: the first tells. */
  hear(event: MembersAdded | MemberRemoved): void {
    const entry = this.#entries.get(event.conversationId);
    if (entry === undefined || event.membership <= entry.membership) return;
    const isNext = event.membership === entry.membership + 1;
    entry.membership = event.membership;
    if (event.membersCount > this.#options.largeRoomMembers) entry.userIds = null;
    else if (isNext && entry.userIds !== null) entry.userIds = changed(entry.userIds, event);
    else this.#reload(event.conversationId);
  }

  async #load(conversationIds: readonly string[]): Promise<ConversationMember[]> {
    const { conversations, largeRoomMembers } = this.#options;
    const members = await conversations.members(conversationIds, largeRoomMembers);
    for (const [id, itsMembers] of groupByRoom(members)) {
      const entry = this.#entries.get(id);
      const membership = itsMembers[0]?.membership ?? 0;
      if (entry === undefined || membership < entry.membership) continue;
      entry.membership = membership;
      entry.userIds = itsMembers.map((member) => member.profile.id);
    }
    return members;
  }

  #reload(conversationId: string): void {
    this.#load([conversationId]).catch((error: unknown) => {
      this.#options.log.warn({ conversation: conversationId, err: error }, "the members of a room could not be read");
      const entry = this.#entries.get(conversationId);
      // The next membership event or socket reads them again.
      if (entry !== undefined) entry.membership = -1;
    });
  }
}

function changed(userIds: readonly string[], event: MembersAdded | MemberRemoved): readonly string[] {
  switch (event.type) {
    case "members_added":
      return [...new Set([...userIds, ...event.users.map((user) => user.id)])];
    case "member_removed":
      return userIds.filter((id) => id !== event.user.id);
  }
}

export function groupByRoom(members: readonly ConversationMember[]): Map<string, ConversationMember[]> {
  const byRoom = new Map<string, ConversationMember[]>();
  for (const member of members) {
    const others = byRoom.get(member.conversationId);
    if (others === undefined) byRoom.set(member.conversationId, [member]);
    else others.push(member);
  }
  return byRoom;
}
