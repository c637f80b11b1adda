/** Groups: made, named, joined and left. */
import { Refusal } from "./errors.ts";
import type { EventSink } from "./events.ts";
import type { Conversation, Profile } from "./model.ts";
import type { RateLimit } from "./rate.ts";
import type { MembershipChange, Store } from "./store.ts";

export interface NewGroupRequest {
  readonly id: string | null;
  readonly name: string;
  readonly imageUrl: string | null;
  /** User ids or usernames; the creator need not be among them. */
  readonly members: readonly string[];
}

export interface GroupsOptions {
  readonly store: Store;
  readonly sink: EventSink;
  readonly maxMembers: number;
  /** For each user, and the same as that of their messages. */
  readonly sendRate: RateLimit;
}

/** What makes or changes a group is refused as `rate_limited` beyond the rate of its user. */
export class Groups {
  readonly #store: Store;
  readonly #sink: EventSink;
  readonly #maxMembers: number;
  readonly #sendRate: RateLimit;

  constructor({ store, sink, maxMembers, sendRate }: GroupsOptions) {
    this.#store = store;
    this.#sink = sink;
    this.#maxMembers = maxMembers;
    this.#sendRate = sendRate;
  }

  /** @throws Refusal `invalid_frame` (an unknown or one too many member), `conflict` (the id is taken). */
  async create(creator: Profile, request: NewGroupRequest): Promise<Conversation> {
    this.#spend(creator);
    const invited = await this.#users(request.members);
    const memberIds = [...new Set([creator.id, ...invited.map((profile) => profile.id)])];
    if (memberIds.length > this.#maxMembers) throw this.#tooMany();
    const { id, name, imageUrl } = request;
    const conversation = await this.#store.createGroup({ id, name, imageUrl, creatorId: creator.id, memberIds });
    if (conversation === "taken") throw new Refusal("conflict", "the id is taken");
    this.#tellJoined(conversation, memberIds);
    return conversation;
  }

  /** The creator's alone. @throws Refusal `not_found`, `forbidden`. */
  async update(actor: Profile, id: string, fields: { name?: string; imageUrl?: string | null }): Promise<Conversation> {
    this.#spend(actor);
    const group = await this.#managed(actor, id);
    const isSame =
      (fields.name ?? group.name) === group.name &&
      (fields.imageUrl === undefined ? group.imageUrl : fields.imageUrl) === group.imageUrl;
    if (isSame) return group;
    const updated = await this.#store.updateGroup(id, fields);
    if (updated === null) throw new Refusal("not_found", "no such conversation");
    const { name, imageUrl, creatorId } = updated;
    this.#sink.emit([
      { type: "group_updated", conversationId: id, name, imageUrl, creatorId, actor: reference(actor) },
    ]);
    return updated;
  }

  /** The creator's alone. Who is a member already is passed over. Resolves with those who were added. */
  async add(actor: Profile, id: string, names: readonly string[]): Promise<readonly Profile[]> {
    this.#spend(actor);
    await this.#managed(actor, id);
    const invited = await this.#users(names);
    const userIds = [...new Set(invited.map((profile) => profile.id))];
    const change = await this.#store.addMembers(id, userIds, this.#maxMembers);
    if (change === "too_many") throw this.#tooMany();
    if (change.users.length === 0) return [];
    const { membership, membersCount } = change.conversation;
    const users = change.users.map(reference);
    this.#sink.emit([
      { type: "members_added", conversationId: id, users, actor: reference(actor), membership, membersCount },
    ]);
    this.#tellJoined(
      change.conversation,
      change.users.map((user) => user.id),
    );
    return change.users;
  }

  /** The creator removes anyone; anyone leaves. `name`: user id or username. Removing a stranger changes nothing. */
  async remove(actor: Profile, id: string, name: string): Promise<void> {
    this.#spend(actor);
    const group = await this.#group(actor, id);
    const [found] = await this.#store.usersByIdOrName([name]);
    const isLeaving = found?.profile.id === actor.id;
    if (!isLeaving && group.creatorId !== actor.id) {
      throw new Refusal("forbidden", "only the group's creator may remove members");
    }
    if (found === undefined) throw new Refusal("not_found", "no such member");
    const change = await this.#store.removeMember(id, found.profile.id);
    if (change.users.length === 0) {
      if (isLeaving) return;
      throw new Refusal("not_found", "no such member");
    }
    this.#tellRemoved(change, found.profile, actor);
  }

  /** At most `limit`, in the order they joined. @throws Refusal `not_found`. */
  async members(user: Profile, id: string, limit: number): Promise<Profile[]> {
    const group = await this.#group(user, id);
    return this.#store.members(group.id, limit);
  }

  #spend(actor: Profile): void {
    this.#sendRate.spend(actor.id, "changes of groups");
  }

  async #users(names: readonly string[]): Promise<Profile[]> {
    if (names.length > this.#maxMembers) throw this.#tooMany();
    const found = new Map((await this.#store.usersByIdOrName(names)).map(({ asked, profile }) => [asked, profile]));
    return names.map((name, index) => {
      const profile = found.get(name);
      if (profile === undefined) throw new Refusal("invalid_frame", `members.${index}: no such user`);
      return profile;
    });
  }

  async #group(user: Profile, id: string): Promise<Conversation> {
    const found = await this.#store.conversation(id, user.id);
    if (!found?.isMember) throw new Refusal("not_found", "no such conversation");
    if (found.conversation.type !== "group")
      throw new Refusal("forbidden", "a direct conversation has no members to manage");
    return found.conversation;
  }

  async #managed(actor: Profile, id: string): Promise<Conversation> {
    const group = await this.#group(actor, id);
    if (group.creatorId !== actor.id) throw new Refusal("forbidden", "only the group's creator may change it");
    return group;
  }

  #tellJoined(conversation: Conversation, userIds: readonly string[]): void {
    const { id: conversationId, seq: from, membership } = conversation;
    this.#sink.emitToUsers(
      userIds.map((userId) => ({
        type: "conversation_joined",
        userId,
        conversationId,
        from,
        membership,
        otherId: null,
      })),
    );
  }

  #tellRemoved({ conversation }: MembershipChange, user: Profile, actor: Profile): void {
    const { id: conversationId, membership, membersCount, creatorId } = conversation;
    this.#sink.emit([
      {
        type: "member_removed",
        conversationId,
        user: reference(user),
        actor: reference(actor),
        membership,
        membersCount,
        creatorId,
      },
    ]);
    this.#sink.emitToUsers([{ type: "conversation_left", userId: user.id, conversationId, membership }]);
  }

  #tooMany(): Refusal {
    return new Refusal("invalid_frame", `members: a group has at most ${this.#maxMembers}`);
  }
}

function reference({ id, username }: Profile): { id: string; username: string } {
  return { id, username };
}
