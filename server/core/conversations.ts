/** Finding and listing conversations. Groups are made and changed in `groups.ts`. */
import { Refusal } from "./errors.ts";
import type { EventSink } from "./events.ts";
import type { Conversation, ConversationView, Profile } from "./model.ts";
import type { ConversationMember, Store } from "./store.ts";

export class Conversations {
  readonly #store: Store;
  readonly #sink: EventSink;

  constructor(store: Store, sink: EventSink) {
    this.#store = store;
    this.#sink = sink;
  }

  /**
   * What `room` names for this user: the direct conversation with the user of that name, made on first use, or the
   * conversation of that id that they are a member of.
   *
   * @throws Refusal `not_found`: neither, or not a member; which of them is not said.
   */
  async open(user: Profile, room: string): Promise<Conversation> {
    const found = await this.find(user, room);
    return found.conversation ?? (await this.#openDirect(user, found.other.id));
  }

  /** The same, but makes nothing: for a direct conversation that does not exist yet, the other person alone. */
  async find(
    user: Profile,
    room: string,
  ): Promise<{ conversation: Conversation } | { conversation: null; other: Profile }> {
    // A path can say it, but no name or id has one, and PostgreSQL takes no text with it.
    if (room.includes("\u0000")) throw new Refusal("not_found", "no such room");
    const other = room === user.username ? user : await this.#store.userByName(room);
    if (other === null) return { conversation: await this.member(user, room) };
    const conversation = await this.#store.directConversation(user.id, other.id);
    return conversation === null ? { conversation, other } : { conversation };
  }

  /** The conversation of that id. @throws Refusal `not_found`: there is none, or the user is not in it. */
  async member(user: Profile, id: string): Promise<Conversation> {
    const found = await this.#store.conversation(id, user.id);
    if (!found?.isMember) throw new Refusal("not_found", "no such room");
    return found.conversation;
  }

  /** The same by user id. @throws Refusal `not_found`: there is no such user. */
  async openWith(user: Profile, otherId: string): Promise<Conversation> {
    if (otherId !== user.id && (await this.#store.user(otherId)) === null)
      throw new Refusal("not_found", "no such user");
    return this.#openDirect(user, otherId);
  }

  async isMember(user: Profile, id: string): Promise<boolean> {
    return (await this.#store.conversation(id, user.id))?.isMember ?? false;
  }

  /** Whether the two have a conversation in common: only then may one ask whether the other is online. */
  areAcquainted(user: Profile, otherId: string): Promise<boolean> {
    return this.#store.haveCommonConversation(user.id, otherId);
  }

  /** The members of those that are not large. */
  members(conversationIds: readonly string[], maxMembers: number): Promise<ConversationMember[]> {
    return this.#store.membersOf(conversationIds, maxMembers);
  }

  /** The pair's one direct conversation, found or made. */
  async #openDirect(user: Profile, otherId: string): Promise<Conversation> {
    const { conversation, created } = await this.#store.openDirect(user.id, otherId);
    if (created) {
      const userIds = new Set([user.id, otherId]);
      this.#sink.emitToUsers(
        [...userIds].map((userId) => ({
          type: "conversation_joined",
          userId,
          conversationId: conversation.id,
          from: 0,
          membership: conversation.membership,
          otherId: userId === user.id ? otherId : user.id,
        })),
      );
    }
    return conversation;
  }

  /** Whether `room` is a name of this conversation for one of its members: its id, or a direct one's usernames. */
  async isNamed(user: Profile, conversation: Conversation, room: string): Promise<boolean> {
    if (room === conversation.id) return true;
    if (conversation.type === "group") return false;
    const view = await this.#store.view(conversation.id, user.id);
    return room === user.username || room === view?.otherUser?.username;
  }

  /** @throws Refusal `not_found` */
  async view(user: Profile, id: string): Promise<ConversationView> {
    const view = await this.#store.view(id, user.id);
    if (view === null) throw new Refusal("not_found", "no such conversation");
    return view;
  }

  views(user: Profile, limit: number, before: { updatedAt: string; id: string } | null): Promise<ConversationView[]> {
    return this.#store.views(user.id, limit, before);
  }
}
