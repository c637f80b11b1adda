/** Messages that nobody has read, stored by the very statement that the server stores with, and without a server. */
import { v7 as newId } from "uuid";
import { openPostgres } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import type { Profile } from "../../server/core/model.ts";
import type { NewMessage } from "../../server/core/store.ts";

/** Of each user; the unread are dealt out over them. */
export const CONVERSATIONS = 10;
/** As large as the batches of a busy server. */
const BATCH = 256;

/** On an empty database: makes the tables, these users, and for each of them as many unread messages of others. */
export async function leaveUnread(
  databaseUrl: string,
  users: readonly { readonly user: string; readonly unread: number }[],
): Promise<void> {
  const store = createStore(await openPostgres({ url: databaseUrl, searchPath: null }), newId);
  try {
    const senders = Array.from({ length: CONVERSATIONS }, (_, index) => profileOf(`bench-sender-${index}`));
    for (const profile of [...senders, ...users.map(({ user }) => profileOf(user))]) await store.putUser(profile);
    for (const { user, unread } of users) {
      const conversations: { readonly sender: Profile; readonly id: string }[] = [];
      for (const sender of senders) {
        conversations.push({ sender, id: (await store.openDirect(user, sender.id)).conversation.id });
      }
      const messages = Array.from({ length: unread }, (_, index) => {
        const conversation = conversations[index % conversations.length];
        if (conversation === undefined) throw new Error("there are no conversations");
        return messageIn(conversation.id, conversation.sender);
      });
      for (let first = 0; first < messages.length; first += BATCH) {
        const outcomes = await store.send(messages.slice(first, first + BATCH));
        if (outcomes.some(({ status }) => status !== "stored")) throw new Error("a message was not stored");
      }
    }
  } finally {
    await store.close();
  }
}

/** As a token with this `sub` alone makes it. */
function profileOf(username: string): Profile {
  return { id: username, username, name: username, firstName: "", lastName: "", avatar: null };
}

function messageIn(conversationId: string, sender: Profile): NewMessage {
  return {
    id: newId(),
    idFromClient: false,
    conversationId,
    sender,
    clientId: null,
    text: "a message of about sixty-four characters, which is a usual length",
    mediaUrl: null,
    mediaType: null,
    messageType: null,
    attachments: [],
    replyTo: null,
    isStoryReply: false,
    opensConversation: false,
    fileIdentifier: null,
    mediaUrlExpiration: null,
  };
}
