/** The core's nouns as HTTP shows them. */
import type { ConversationView, Message, Profile, Quote, UserReference } from "../core/model.ts";
import type { ConversationBody, MessageBody, ProfileBody, QuoteBody } from "../protocol/http.ts";

export function profileBody({ id, username, name, firstName, lastName, avatar }: Profile): ProfileBody {
  return { id, username, name, first_name: firstName, last_name: lastName, avatar };
}

/** The two of a direct conversation, as one of them sees it; null for a group. */
export interface Pair {
  readonly self: Profile;
  readonly other: Profile;
}

export function messageBody(message: Message, pair: Pair | null): MessageBody {
  const receiver = pair !== null && message.sender.id === pair.self.id ? pair.other : pair?.self;
  return {
    id: message.id,
    conversation_id: message.conversationId,
    seq: message.seq,
    from_user: profileBody(message.sender),
    ...(receiver === undefined ? {} : { to_user: profileBody(receiver) }),
    date_added: message.createdAt,
    content: message.text,
    multimedia_url: message.mediaUrl,
    media_type: message.mediaType,
    message_type: message.messageType,
    attachments: [...message.attachments],
    reply_to: message.replyTo,
    reply_message: message.replyQuote === null ? null : quoteBody(message.replyQuote),
    is_story_reply: message.isStoryReply,
    file_identifier: message.fileIdentifier,
    multimedia_url_expiration: message.mediaUrlExpiration,
    client_id: message.clientId,
    date_edited: message.editedAt,
    deleted: message.deletedAt !== null,
    date_deleted: message.deletedAt,
    deleted_by: referenceBody(message.deletedBy),
    pinned: message.pinnedAt !== null,
    date_pinned: message.pinnedAt,
    pinned_by: referenceBody(message.pinnedBy),
  };
}

/** The same as on `/rooms`. */
function quoteBody(quote: Quote): QuoteBody {
  return {
    _id: quote.id,
    message: quote.text,
    sender_id: quote.senderId,
    first_name: quote.firstName,
    last_name: quote.lastName,
    dateCreated: quote.createdAt,
    ...(quote.isDeleted && { deleted: true as const }),
  };
}

function referenceBody(reference: UserReference | null): UserReference | null {
  return reference === null ? null : { id: reference.id, username: reference.username };
}

export function pairOf(self: Profile, { otherUser }: Pick<ConversationView, "otherUser">): Pair | null {
  return otherUser === null ? null : { self, other: otherUser };
}

export function conversationBody(view: ConversationView, reader: Profile): ConversationBody {
  const { otherUser, lastMessage } = view;
  return {
    id: view.id,
    type: view.type,
    name: otherUser?.name ?? view.name,
    image_url: otherUser === null ? view.imageUrl : otherUser.avatar,
    other_user: otherUser === null ? null : profileBody(otherUser),
    members_count: view.membersCount,
    last_message: lastMessage === null ? null : messageBody(lastMessage, pairOf(reader, view)),
    unread_count: view.unread,
    seq: view.seq,
    updated_at: view.updatedAt,
  };
}
