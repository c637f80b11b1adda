/** Finding and listing conversations. Groups are made and changed in `groups.ts`. */
import { Refusal } from "./errors.ts";
import type { EventSink } from "./events.ts";
import type { Conversation, ConversationView, Profile } from "./model.ts";
import { pagesOf } from "./pages.ts";
import type { RateLimit } from "./rate.ts";
import type { ConversationMember, ListedConversation, Store, ViewsPage } from "./store.ts";

/** Conversations whose sizes are asked for together. */
const SIZED_AT_ONCE = 500;

export interface RoomsPage {
  readonly views: readonly ConversationView[];
  readonly members: readonly ConversationMember[];
}

/** Before an id, it says that a room is meant by its id and by nothing else: no username has this character. */
export const ID_MARK = "~";

/** Left out: none. */
export interface ConversationLimits {
  /** For each user who begins them. */
  readonly newDirectRate?: RateLimit;
  /** How many conversations one user is in. */
  readonly perUser?: number;
}

export class Conversations {
  readonly #store: Store;
  readonly #sink: EventSink;
  readonly #limits: ConversationLimits;

  constructor(store: Store, sink: EventSink, limits: ConversationLimits = {}) {
    this.#store = store;
    this.#sink = sink;
    this.#limits = limits;
  }

  /**
   * What `room` names for this user: the direct conversation with the user of that name, made on first use, or the
   * conversation of that id that they are a member of.
   *
   * @throws Refusal `not_found`: neither, or not a member; which of them is not said. `rate_limited`.
   */
  async open(user: Profile, room: string): Promise<Conversation> {
    const found = await this.find(user, room);
    return found.conversation ?? (await this.#makeDirect(user, found.other.id));
  }

  /**
   * The same, but makes nothing: for a direct conversation that does not exist yet, the other person alone.
   *
   * A person goes before a conversation whose id somebody chose, so that nobody can take a person's place by choosing
   * well. An id of the server's making goes before a person, who can be called so only to take a conversation's place.
   */
  async find(
    user: Profile,
    room: string,
  ): Promise<{ conversation: Conversation } | { conversation: null; other: Profile }> {
    // A path can say it, but no name or id has one, and PostgreSQL takes no text with it.
    if (room.includes("\u0000")) throw noSuchRoom();
    if (room.startsWith(ID_MARK)) return { conversation: await this.member(user, room.slice(ID_MARK.length)) };
    const byId = mayBeServerMade(room) ? await this.#store.conversation(room, user.id) : null;
    if (byId?.isMember && !byId.conversation.idChosen) return { conversation: byId.conversation };
    const name = room.normalize("NFC");
    const other = name === user.username ? user : await this.#store.userByName(name);
    if (other === null) return { conversation: await this.member(user, room) };
    const conversation = await this.#store.directConversation(user.id, other.id);
    return conversation === null ? { conversation, other } : { conversation };
  }

  /** The conversation of that id. @throws Refusal `not_found`: there is none, or the user is not in it. */
  async member(user: Profile, id: string): Promise<Conversation> {
    const found = await this.#store.conversation(id, user.id);
    if (!found?.isMember) throw noSuchRoom();
    return found.conversation;
  }

  /** The same by user id. @throws Refusal `not_found`: there is no such user. `rate_limited`. */
  async openWith(user: Profile, otherId: string): Promise<Conversation> {
    const found = await this.#store.directConversation(user.id, otherId);
    if (found !== null) return found;
    if (otherId !== user.id && (await this.#store.user(otherId)) === null)
      throw new Refusal("not_found", "no such user");
    return this.#makeDirect(user, otherId);
  }

  /** Those of these conversations that the user is in. One query, however many. */
  async memberOf(user: Profile, ids: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(await this.#store.memberOf(user.id, ids));
  }

  /**
   * Whether one may ask if the other is online: when they have shown themselves in a conversation of the two, by writing
   * in it or making it. To have written to somebody, or to have put them into a group, is not enough.
   */
  areAcquainted(user: Profile, otherId: string): Promise<boolean> {
    return this.#store.hasShownThemselves(otherId, user.id);
  }

  /** The members of those that are not large. */
  members(conversationIds: readonly string[], maxMembers: number): Promise<ConversationMember[]> {
    return this.#store.membersOf(conversationIds, maxMembers);
  }

  /** The pair's one direct conversation, which nobody had made a moment ago. */
  async #makeDirect(user: Profile, otherId: string): Promise<Conversation> {
    const { newDirectRate, perUser } = this.#limits;
    newDirectRate?.spend(user.id, "new direct conversations");
    const { conversation, created } = await this.#store.openDirect(user.id, otherId, perUser);
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
    const { id, idChosen, type } = conversation;
    if (room === ID_MARK + id || (room === id && !idChosen)) return true;
    const name = room.normalize("NFC");
    if (type === "group") return room === id && name !== user.username && (await this.#store.userByName(name)) === null;
    const view = await this.#store.view(id, user.id);
    return name === user.username || name === view?.otherUser?.username;
  }

  /** @throws Refusal `not_found` */
  async view(user: Profile, id: string): Promise<ConversationView> {
    const view = await this.#store.view(id, user.id);
    if (view === null) throw new Refusal("not_found", "no such conversation");
    return view;
  }

  /** A page of the list: at most `limit`, and no more than so many `bytes` and one conversation's. */
  views(user: Profile, limit: number, before: ListedConversation | null, bytes: number): Promise<ViewsPage> {
    return this.#store.views(user.id, limit, before, bytes);
  }

  /** The whole list, the newest first, page by page; each page is read when it is asked for, with its members. */
  async *rooms(user: Profile, maxMembers: number, bytes: number): AsyncGenerator<RoomsPage> {
    const ids = (await this.#store.listed(user.id)).map(({ id }) => id);
    for (let start = 0; start < ids.length; start += SIZED_AT_ONCE) {
      const some = ids.slice(start, start + SIZED_AT_ONCE);
      const sizes = await this.#store.sizesOf(some, maxMembers);
      const sized = some.map((id) => ({ id, bytes: sizes.get(id) ?? 0 }));
      for (const page of pagesOf(sized, bytes)) {
        const views = await this.#store.viewsOf(
          user.id,
          page.map(({ id }) => id),
        );
        // Of those alone that the user is still in.
        const members = await this.#store.membersOf(
          views.map(({ id }) => id),
          maxMembers,
        );
        yield { views, members };
      }
    }
  }
}

function noSuchRoom(): Refusal {
  return new Refusal("not_found", "no such room");
}

/** Of the form of a UUID. Others need not be looked for before the people. */
function mayBeServerMade(room: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(room);
}
