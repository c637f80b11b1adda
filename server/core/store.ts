/**
 * What the core asks of storage. One screen for each subject; `db/` implements them all on PostgreSQL and PGlite.
 * Every method answers, or rejects with `StorageUnavailable` or a limit that it names; a promise that resolved is committed.
 */
import type { Catchup } from "./catch-up.ts";
import type { Change } from "./events.ts";
import type { Conversation, ConversationView, Message, MessageContent, Profile, Standing } from "./model.ts";

export interface UserStore {
  user(id: string): Promise<Profile | null>;
  userByName(username: string): Promise<Profile | null>;
  /** Those of `idsOrNames` that exist, in no order; an id wins over a username. */
  usersByIdOrName(idsOrNames: readonly string[]): Promise<{ asked: string; profile: Profile }[]>;
  /**
   * Stores the profile as it now is. "taken": the username is another user's, or their id; or this user is new, and
   * their id another's username.
   */
  putUser(profile: Profile): Promise<"stored" | "taken">;
  /**
   * Users of whom some word of the username or name begins with each word of `text`, in any case; by username, at most
   * `limit`. All users where `text` is empty, none where it has no word. `contactsOf`: of those alone who share a
   * conversation with this user.
   */
  searchUsers(text: string, limit: number, contactsOf?: string): Promise<Profile[]>;
  /** A socket of each of these users closed just now. */
  markSeen(userIds: readonly string[]): Promise<void>;
  /** When a socket of theirs last closed; null when none has. */
  lastSeen(userId: string): Promise<string | null>;
}

export interface NewGroup {
  readonly id: string | null;
  readonly name: string;
  readonly imageUrl: string | null;
  readonly creatorId: string;
  /** Without doubles; the creator is among them. */
  readonly memberIds: readonly string[];
  /** A word of ours: of the groups of one maker, one is made for each. */
  readonly madeFor?: string | undefined;
}

/** Left out: none. */
export interface GroupLimits {
  readonly conversationsPerUser?: number;
  readonly groupsPerDay?: number;
}

export interface ConversationMember {
  readonly conversationId: string;
  /** The membership's version at this moment. */
  readonly membership: number;
  readonly profile: Profile;
  /** Highest seq read. */
  readonly cursor: number;
}

/** A membership change that was committed. */
export interface MembershipChange {
  readonly conversation: Conversation;
  /** Those whom it concerned: who was added and was not there before, or who went. Empty: nothing changed. */
  readonly users: readonly Profile[];
}

/** Who had left of their own will was not added, but may come back by themselves. */
export interface Addition extends MembershipChange {
  readonly invited: readonly Profile[];
}

export interface ConversationStore {
  /** The conversation, and whether `userId` is a member of it. */
  conversation(id: string, userId: string): Promise<{ conversation: Conversation; isMember: boolean } | null>;
  directConversation(userId: string, otherId: string): Promise<Conversation | null>;
  /**
   * Finds or makes the one direct conversation of the pair, however many race to it.
   *
   * @throws TooManyConversations: one of the two would be in more than `conversationsPerUser`.
   */
  openDirect(
    userId: string,
    otherId: string,
    conversationsPerUser?: number,
  ): Promise<{ conversation: Conversation; created: boolean }>;
  /**
   * Under an id of the server's where the one asked for cannot be had and the creator may not know why. "taken": the
   * creator is in the conversation that has the id, or made a group for the same before.
   *
   * @throws TooManyConversations, TooManyGroups
   */
  createGroup(group: NewGroup, limits?: GroupLimits): Promise<Conversation | "taken">;
  groupMadeFor(makerId: string, madeFor: string): Promise<Conversation | null>;
  updateGroup(id: string, fields: { name?: string; imageUrl?: string | null }): Promise<Conversation | null>;
  /** "too_many": it would have more than `limit` members; nobody was added. @throws TooManyConversations */
  addMembers(
    id: string,
    userIds: readonly string[],
    limit: number,
    conversationsPerUser?: number,
  ): Promise<Addition | "too_many">;
  /** Somebody who left, and was invited since, adds themselves. @throws TooManyConversations */
  rejoin(
    id: string,
    userId: string,
    limit: number,
    conversationsPerUser?: number,
  ): Promise<MembershipChange | "not_invited" | "too_many">;
  /** A creator who goes leaves the group to nobody. Only they themselves undo it when it was `isLeaving`. */
  removeMember(id: string, userId: string, isLeaving?: boolean): Promise<MembershipChange>;
  members(id: string, limit: number): Promise<Profile[]>;
  /** Those of these conversations that the user is in. */
  memberOf(userId: string, conversationIds: readonly string[]): Promise<string[]>;
  /** The members of those conversations that have at most `maxMembers`, in the order they joined. */
  membersOf(conversationIds: readonly string[], maxMembers: number): Promise<ConversationMember[]>;
  /** Whether `otherId` wrote in a conversation that the two share, or made one of these. */
  hasShownThemselves(otherId: string, userId: string): Promise<boolean>;
  /** As one member sees it; null when there is none or they are not in it. */
  view(id: string, userId: string): Promise<ConversationView | null>;
  /**
   * A page of the list, which ends with the conversation whose last message reaches so many `bytes`. `next`: where the page
   * after it begins; null when there is none.
   */
  views(userId: string, limit: number, before: ListedConversation | null, bytes: number): Promise<ViewsPage>;
  /** Those of these that the user is in, in this order. */
  viewsOf(userId: string, ids: readonly string[]): Promise<ConversationView[]>;
  /** The list without what is in it. Newest first; direct ones from their first message on. */
  listed(userId: string, limit?: number | null, before?: ListedConversation | null): Promise<ListedConversation[]>;
  /** What reading each brings, more or less, with the members of those that have at most `maxMembers`. */
  sizesOf(ids: readonly string[], maxMembers: number): Promise<Map<string, number>>;
}

/** A place in the list of a user's conversations. */
export interface ListedConversation {
  readonly id: string;
  readonly updatedAt: string;
}

export interface ViewsPage {
  readonly views: readonly ConversationView[];
  readonly next: ListedConversation | null;
}

export interface NewMessage extends MessageContent {
  readonly id: string;
  /** The client chose the id: it may be taken. */
  readonly idFromClient: boolean;
  readonly conversationId: string;
  readonly sender: Profile;
  readonly clientId: string | null;
  readonly opensConversation: boolean;
}

export type SendOutcome =
  | { readonly status: "stored"; readonly change: Change }
  /** The same client id was stored before: the first message as it is now; null when it could not be read. */
  | { readonly status: "repeated"; readonly message: Message | null }
  | { readonly status: "not_a_member" }
  | { readonly status: "id_taken" }
  | { readonly status: "unknown_reply" };

/** Something that a member does to what is there. `conversationId` null: whichever conversation the message is in. */
export type Amendment =
  | {
      readonly kind: "edit";
      readonly userId: string;
      readonly conversationId: string | null;
      readonly messageId: string;
      readonly text: string;
    }
  | {
      readonly kind: "delete";
      readonly userId: string;
      readonly conversationId: string | null;
      readonly messageId: string;
    }
  | {
      readonly kind: "pin";
      readonly userId: string;
      readonly conversationId: string | null;
      readonly messageId: string;
      readonly pinned: boolean;
    }
  /** All there is, or up to a message. */
  | {
      readonly kind: "read";
      readonly userId: string;
      readonly conversationId: string;
      readonly messageId: null;
    }
  | {
      readonly kind: "read";
      readonly userId: string;
      readonly conversationId: string | null;
      readonly messageId: string;
    };

/** What an amendment is judged by: the state it meets, read under the conversation's lock. */
export interface AmendmentContext {
  readonly message: Message;
  readonly creatorId: string | null;
}

export type Judgement = "apply" | "unchanged" | "forbidden" | "empty";

export interface ReadMark {
  readonly conversationId: string;
  readonly user: Profile;
  readonly messageId: string;
  readonly seq: number;
  readonly readAt: string;
  readonly unread: number;
  readonly asOf: number;
  readonly reads: number;
  readonly membersCount: number;
}

export type AmendOutcome =
  | { readonly status: "changed"; readonly change: Change }
  | { readonly status: "read"; readonly mark: ReadMark }
  | { readonly status: "unchanged"; readonly message: Message | null }
  | { readonly status: "forbidden" }
  | { readonly status: "empty" };

export interface MessageStore {
  /** One transaction and a constant number of statements for all of them; outcomes in the order of `messages`. */
  send(messages: readonly NewMessage[]): Promise<SendOutcome[]>;
  /** The same for edits, deletions, pins and read marks. `judge` is the core's rule for the first three. */
  amend(
    amendments: readonly Amendment[],
    judge: (amendment: Amendment, context: AmendmentContext) => Judgement,
  ): Promise<AmendOutcome[]>;
  /** A page of history, newest first. `before` and `after` are seqs at creation, exclusive. */
  history(page: HistoryPage): Promise<HistorySlice>;
  /** Whether there is a message in such a page. */
  hasHistory(page: Omit<HistoryPage, "limit" | "bytes">): Promise<boolean>;
  /** Those of these messages of the conversation that there are, while the reader is its member; none to anybody else. */
  messagesFor(readerId: string, conversationId: string, ids: readonly string[]): Promise<Message[]>;
}

export interface HistoryPage {
  readonly conversationId: string;
  readonly before: number | null;
  /** With `after` alone, the page is the one right after it (still newest first). */
  readonly after: number | null;
  readonly limit: number;
  /** The page ends with the message that reaches so many, however few there are. */
  readonly bytes: number;
  readonly pinned: boolean;
}

export interface HistorySlice {
  readonly messages: readonly Message[];
  /** Whether there are more in the direction of reading. */
  readonly hasMore: boolean;
}

/** What delivery needs to find again: the truth behind a channel layer that may lose anything. */
export interface DeliveryStore {
  /**
   * One change for each number in (`after`, `upTo`], in order, at most `limit` and a page's bytes of them; the message in its
   * newest state.
   */
  changes(conversationId: string, after: number, upTo: number, limit: number): Promise<Change[]>;
  /** What changed after `since`: each message once, in the order of its last change; and the present seq. */
  changedSince(conversationId: string, since: number, limit: number): Promise<Catchup>;
  positions(conversationIds: readonly string[]): Promise<Position[]>;
  /** Where the user is a member, since which seq, and by which version of the membership. */
  memberships(userId: string): Promise<Membership[]>;
  /** In how many conversations each of the users is; who is in none is missing. */
  conversationCounts(userIds: readonly string[]): Promise<{ userId: string; conversations: number }[]>;
  /** Of these users, those who are members now, and the membership's version that this is true for. */
  membersAmong(conversationId: string, userIds: readonly string[]): Promise<{ membership: number; userIds: string[] }>;
}

export interface Membership {
  readonly conversationId: string;
  readonly from: number;
  readonly membership: number;
  /** The other person of a direct conversation; null for a group. */
  readonly otherId: string | null;
}

export interface Position {
  readonly conversationId: string;
  readonly seq: number;
  readonly membership: number;
  readonly reads: number;
  readonly membersCount: number;
}

export interface UnreadStore {
  /** Every conversation of the user with its unread count, in one snapshot; O(conversations), whatever their size. */
  standings(userId: string): Promise<Standing[]>;
  standing(userId: string, conversationId: string): Promise<Standing | null>;
}

export interface Store extends UserStore, ConversationStore, MessageStore, DeliveryStore, UnreadStore {
  /** Resolves when storage answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
