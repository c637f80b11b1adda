/** What a client says of a message, in the words that the channels dialect and HTTP share, as the core takes it. */
import type { z } from "zod";
import type { Draft } from "./core/messages.ts";
import type { messageFields } from "./protocol/channels.ts";

type MessageFields = z.infer<z.ZodObject<ReturnType<typeof messageFields>>>;

export function toDraft(fields: MessageFields): Draft {
  return {
    id: null,
    clientId: fields.client_id ?? null,
    text: fields.message,
    mediaUrl: fields.multimedia_url ?? null,
    mediaType: fields.media_type ?? null,
    messageType: fields.message_type ?? null,
    attachments: fields.attachments ?? [],
    replyTo: fields.reply_to ?? null,
    isStoryReply: false,
    opensConversation: false,
    fileIdentifier: fields.file_identifier ?? null,
    mediaUrlExpiration: fields.multimedia_url_expiration ?? null,
  };
}
