/** Groups: made, named, joined and left. */
import { Refusal } from "./errors.ts";
import type { EventSink } from "./events.ts";
import type { Conversation, Profile } from "./model.ts";
import { shownName } from "./names.ts";
import type { RateLimit } from "./rate.ts";
import type { MembershipChange, Store } from "./store.ts";

export interface NewGroupRequest {
  /** A wish: an id that cannot be had is not told from one that can, but for the id that the group then has. */
  readonly id: string | null;
  readonly name: string;
  readonly imageUrl: string | null;
  /** User ids or usernames; the creator need not be among them. */
  readonly members: readonly string[];
}

export interface Addition {
  readonly added: readonly Profile[];
  readonly invited: readonly Profile[];
}

export interface GroupsOptions {
  readonly store: Store;
  readonly sink: EventSink;
  readonly maxMembers: number;
  /** Left out: any number. */
  readonly maxMembersPerRequest?: number;
  readonly conversationsPerUser?: number;
  readonly groupsPerDay?: number;
  /** For each user, and the same as that of their messages. */
  readonly sendRate: RateLimit;
  /**
   * For each user, of tokens that are for members alone: whoever has just made a large group may write in it at once. Left
   * out: members cost nothing.
   */
  readonly memberRate?: RateLimit;
}

/** Each so many members cost a token, beside what the request itself costs. */
const MEMBERS_PER_TOKEN = 10;

/** What makes or changes a group is refused as `rate_limited` beyond the rate of its user. */
export class Groups {
  readonly #options: GroupsOptions;
  readonly #store: Store;
  readonly #sink: EventSink;
  readonly #maxMembers: number;

  constructor(options: GroupsOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#sink = options.sink;
    this.#maxMembers = options.maxMembers;
  }

  /**
   * @throws Refusal `invalid_frame` (an unknown or one too many member, a name that shows nothing), `conflict` (the id is
   * that of a conversation of the creator's), `forbidden` (a member is in too many conversations), `rate_limited`.
   */
  async create(creator: Profile, request: NewGroupRequest): Promise<Conversation> {
    const made = await this.#create(creator, request, await this.#memberIds(creator, request.members));
    if (made === "taken") throw new Refusal("conflict", "the id is taken");
    return made;
  }

  /**
   * The group that the creator made of these people for the same `purpose`, or a new one. `purpose`: any text; the same
   * again, on whatever node, finds the group of the first time, and for other people it is another one.
   *
   * @throws Refusal as `create` does, but no `conflict`.
   */
  async createOnce(creator: Profile, purpose: string, request: Omit<NewGroupRequest, "id">): Promise<Conversation> {
    const memberIds = await this.#memberIds(creator, request.members);
    const madeFor = JSON.stringify([purpose, memberIds.toSorted()]);
    const made = await this.#create(creator, { ...request, id: null }, memberIds, madeFor);
    if (made !== "taken") return made;
    const group = await this.#store.groupMadeFor(creator.id, madeFor);
    if (group !== null && (await this.#holdsOnly(group, creator, memberIds))) return group;
    // Others came in since, or the maker left: what is sent now is meant for the people named, and for nobody else.
    const another = await this.#create(creator, { ...request, id: null }, memberIds);
    if (another === "taken") throw new Error("the server's own id was taken");
    return another;
  }

  /** Some may have left. */
  async #holdsOnly(group: Conversation, creator: Profile, memberIds: readonly string[]): Promise<boolean> {
    const present = (await this.#store.members(group.id, memberIds.length + 1)).map((member) => member.id);
    const asked = new Set(memberIds);
    return present.includes(creator.id) && present.every((id) => asked.has(id));
  }

  /** The creator and those named, each once. What it costs is paid. */
  async #memberIds(creator: Profile, names: readonly string[]): Promise<string[]> {
    this.#spend(creator, names.length);
    const invited = await this.#users(names);
    const memberIds = [...new Set([creator.id, ...invited.map((profile) => profile.id)])];
    if (memberIds.length > this.#maxMembers) throw this.#tooMany();
    return memberIds;
  }

  async #create(
    creator: Profile,
    request: Omit<NewGroupRequest, "members">,
    memberIds: readonly string[],
    madeFor?: string,
  ): Promise<Conversation | "taken"> {
    const { id, imageUrl } = request;
    const name = shownName("name", request.name);
    const made = await this.#store.createGroup(
      { id, name, imageUrl, creatorId: creator.id, memberIds, madeFor },
      this.#options,
    );
    if (made !== "taken") this.#tellJoined(made, memberIds);
    return made;
  }

  /** The creator's alone. @throws Refusal `not_found`, `forbidden`. */
  async update(actor: Profile, id: string, given: { name?: string; imageUrl?: string | null }): Promise<Conversation> {
    this.#spend(actor);
    const fields = given.name === undefined ? given : { ...given, name: shownName("name", given.name) };
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

  /**
   * The creator's alone, but for who was invited and adds themselves. Who is a member already is passed over. Resolves
   * with those who were added, and with those who had left by themselves and are invited now.
   */
  async add(actor: Profile, id: string, names: readonly string[]): Promise<Addition> {
    this.#spend(actor, names.length);
    if (await this.#isReturning(actor, id, names)) return this.#rejoin(actor, id);
    await this.#managed(actor, id);
    const named = await this.#users(names);
    const userIds = [...new Set(named.map((profile) => profile.id))];
    const { conversationsPerUser } = this.#options;
    const added = await this.#store.addMembers(id, userIds, this.#maxMembers, conversationsPerUser);
    if (added === "too_many") throw this.#tooMany();
    this.#tellAdded(added, actor);
    return { added: added.users, invited: added.invited };
  }

  /** Only a stranger to the group, who names nobody but themselves, can mean to come back. */
  async #isReturning(actor: Profile, id: string, names: readonly string[]): Promise<boolean> {
    const isOneself = (name: string) => name === actor.id || name.normalize("NFC") === actor.username;
    return names.every(isOneself) && !(await this.#store.conversation(id, actor.id))?.isMember;
  }

  async #rejoin(actor: Profile, id: string): Promise<Addition> {
    const { conversationsPerUser } = this.#options;
    const change = await this.#store.rejoin(id, actor.id, this.#maxMembers, conversationsPerUser);
    switch (change) {
      case "not_invited":
        throw new Refusal("not_found", "no such conversation");
      case "too_many":
        throw this.#tooMany();
    }
    this.#tellAdded(change, actor);
    return { added: change.users, invited: [] };
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
    const change = await this.#store.removeMember(id, found.profile.id, isLeaving);
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

  #spend(actor: Profile, members = 0): void {
    const { sendRate, memberRate } = this.#options;
    sendRate.spend(actor.id, "changes of groups");
    const tokens = Math.floor(members / MEMBERS_PER_TOKEN);
    if (tokens > 0) memberRate?.spend(actor.id, "members", tokens);
  }

  async #users(names: readonly string[]): Promise<Profile[]> {
    const { maxMembersPerRequest = Number.POSITIVE_INFINITY } = this.#options;
    if (names.length > maxMembersPerRequest) {
      const message = `members: expected at most ${maxMembersPerRequest} at once (MAX_MEMBERS_PER_REQUEST)`;
      throw new Refusal("invalid_frame", message);
    }
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

  #tellAdded(change: MembershipChange, actor: Profile): void {
    if (change.users.length === 0) return;
    const { id: conversationId, membership, membersCount } = change.conversation;
    const users = change.users.map(reference);
    this.#sink.emit([
      { type: "members_added", conversationId, users, actor: reference(actor), membership, membersCount },
    ]);
    this.#tellJoined(
      change.conversation,
      change.users.map((user) => user.id),
    );
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
