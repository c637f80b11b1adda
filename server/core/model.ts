/**
 * The nouns of a conversation, as every part of the server speaks of them. Times are ISO 8601 UTC strings with
 * milliseconds, taken from the database's clock: several nodes share it, so a node with a wrong clock cannot lie.
 */

/** What others may see of a user. */
export interface Profile {
  /** 1 to 128 characters; the `sub` of the token. */
  readonly id: string;
  /** Unique; 1 to 150 of letters, digits and `@ . + - _`. */
  readonly username: string;
  readonly name: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly avatar: string | null;
}

/** Who did something: enough for a dialect that names people by username and for one that names them by id. */
export type UserReference = Pick<Profile, "id" | "username">;

export type MediaType = "VIDEO" | "AUDIO" | "IMAGE" | "FILE";

/** A link, or an object that describes one; the server keeps its fields as they came. */
export type Attachment = string | { readonly [field: string]: unknown };

/** What a sender says; everything else about a message is the server's. */
export interface MessageContent {
  readonly text: string;
  readonly mediaUrl: string | null;
  readonly mediaType: MediaType | null;
  /** A free word of the client's, such as `text`. */
  readonly messageType: string | null;
  readonly attachments: readonly Attachment[];
  /** Id of the message of the same conversation that this one answers. */
  readonly replyTo: string | null;
  readonly isStoryReply: boolean;
  readonly fileIdentifier: string | null;
  /** As the client gave it; opaque to the server. */
  readonly mediaUrlExpiration: string | null;
}

/** An answered message as it is, whatever the client that answers says of it. */
export interface Quote {
  readonly id: string;
  /** The beginning of it; "" when it was deleted. */
  readonly text: string;
  readonly senderId: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly createdAt: string;
  readonly isDeleted: boolean;
}

export interface Message extends MessageContent {
  readonly id: string;
  readonly conversationId: string;
  /** The conversation's number that the creation took. */
  readonly seq: number;
  /** The number that the last change took; `seq` while there was none. */
  readonly changedSeq: number;
  readonly sender: Profile;
  readonly clientId: string | null;
  /** Of `replyTo`. */
  readonly replyQuote: Quote | null;
  /**
   * It was sent to people rather than to a conversation, which was found or made for it: those who are not in the
   * conversation yet are told of it by name, in a dialect that has such an event.
   */
  readonly opensConversation: boolean;
  readonly createdAt: string;
  readonly editedAt: string | null;
  /** Set on a tombstone: the content is gone, the place stays. */
  readonly deletedAt: string | null;
  readonly deletedBy: UserReference | null;
  readonly pinnedAt: string | null;
  readonly pinnedBy: UserReference | null;
}

export type ConversationType = "direct" | "group";

export interface Conversation {
  readonly id: string;
  readonly type: ConversationType;
  /** A group's name; "" for a direct conversation, whose name is the other person's. */
  readonly name: string;
  readonly imageUrl: string | null;
  /** Who manages a group; null when they left, and for a direct conversation. */
  readonly creatorId: string | null;
  /** A client chose the id. */
  readonly idChosen: boolean;
  readonly membersCount: number;
  /** How often the membership has changed. */
  readonly membership: number;
  /** The number of the newest change; 0 before the first. */
  readonly seq: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A conversation as one member sees it. */
export interface ConversationView extends Conversation {
  /** The other person of a direct conversation (oneself, in the one with oneself); null for a group. */
  readonly otherUser: Profile | null;
  readonly lastMessage: Message | null;
  readonly unread: number;
}

/** A member's place in a conversation: what unread counts rest on. */
export interface Standing {
  readonly conversationId: string;
  readonly userId: string;
  /** Highest `seq` read; never moves back. */
  readonly cursor: number;
  readonly unread: number;
  /** The conversation's `seq` for which `unread` holds. */
  readonly asOf: number;
}
