import type { Change } from "../server/core/events.ts";
import type { Quote } from "../server/core/model.ts";
import type { NewMessage } from "../server/core/store.ts";
import { textArray } from "./arrays.ts";
import type { Row } from "./client.ts";
import { toNumber } from "./rows.ts";
import { STORE_ALONE, STORE_IN_ONE, STORE_IN_SEVERAL } from "./send-statements.ts";

/** A conversation in a batch. */
interface Portion {
  readonly id: string;
  size: number;
  /** By sender: how many of the messages are theirs. */
  readonly senders: Map<string, number>;
}

/** Where a message is in a batch: its conversation, from 1, and which message in it, from 1. */
interface Place {
  readonly c: number;
  readonly p: number;
}

/** Messages that are stored together, counted for the statements that store them. */
export class SendBatch {
  readonly messages: readonly NewMessage[];
  readonly #conversations: Portion[] = [];
  readonly #places: Place[] = [];

  constructor(messages: readonly NewMessage[]) {
    this.messages = messages;
    const numbers = new Map<string, number>();
    for (const { conversationId, sender } of messages) {
      let c = numbers.get(conversationId);
      if (c === undefined) {
        c = this.#conversations.push({ id: conversationId, size: 0, senders: new Map() });
        numbers.set(conversationId, c);
      }
      const portion = this.#conversations[c - 1] as Portion;
      portion.size += 1;
      portion.senders.set(sender.id, (portion.senders.get(sender.id) ?? 0) + 1);
      this.#places.push({ c, p: portion.size });
    }
  }

  /** What stores it, and the parameters of that. There is a message in it. */
  statement(): [statement: string, parameters: (string | null)[]] {
    const [message] = this.messages;
    const [conversation] = this.#conversations;
    if (message === undefined || conversation === undefined) throw new Error("an empty batch needs no statement");
    if (this.messages.length === 1) return [STORE_ALONE, alone(message)];
    if (this.#conversations.length === 1) return [STORE_IN_ONE, this.#inOne(conversation)];
    return [STORE_IN_SEVERAL, this.#inSeveral()];
  }

  #inOne({ id, size, senders }: Portion): string[] {
    return [this.#input(), id, `${size}`, textArray([...senders.keys()]), numberArray([...senders.values()])];
  }

  #inSeveral(): string[] {
    const pairs = this.#conversations.flatMap(({ id, senders }) =>
      [...senders].map(([senderId, size]) => ({ id, senderId, size })),
    );
    return [
      this.#input(),
      textArray(this.#conversations.map(({ id }) => id)),
      numberArray(this.#conversations.map(({ size }) => size)),
      textArray(pairs.map(({ id }) => id)),
      textArray(pairs.map(({ senderId }) => senderId)),
      numberArray(pairs.map(({ size }) => size)),
    ];
  }

  /** `rows`: what the statement returned, one for each conversation. */
  changes(rows: readonly Row[]): Change[] {
    const starts: { seq: number; membership: number; createdAt: string }[] = [];
    for (const row of rows) {
      starts[toNumber(row.place) - 1] = {
        seq: toNumber(row.seq),
        membership: toNumber(row.membership),
        createdAt: new Date(toNumber(row.created_at)).toISOString(),
      };
    }
    const quotes = quotesIn(rows);
    return this.messages.map((sent, n) => {
      const place = this.#places[n];
      const start = starts[(place?.c ?? 0) - 1];
      if (place === undefined || start === undefined) throw new Error("the batch has no place for one of its messages");
      const quote = sent.replyTo === null ? null : (quotes.get(quoteKey(place.c, sent.replyTo)) ?? null);
      return created(sent, start.seq + place.p, start.membership, start.createdAt, quote);
    });
  }

  #input(): string {
    return JSON.stringify(this.messages.map((message, n) => toInput(message, this.#places[n])));
  }
}

function alone(message: NewMessage): (string | null)[] {
  return [
    message.conversationId,
    message.sender.id,
    message.id,
    message.clientId,
    message.text,
    message.mediaUrl,
    message.mediaType,
    message.messageType,
    message.replyTo,
    message.attachments.length === 0 ? null : JSON.stringify(message.attachments),
    `${message.isStoryReply}`,
    message.fileIdentifier,
    message.mediaUrlExpiration,
    `${message.opensConversation}`,
  ];
}

/** Fields that a message does not have are left out: each costs the database as much as one that it has. */
function toInput(message: NewMessage, place: Place | undefined): object {
  const input: Record<string, unknown> = {
    c: place?.c,
    p: place?.p,
    id: message.id,
    sender_id: message.sender.id,
    client_id: message.clientId,
    text: message.text,
  };
  if (message.mediaUrl !== null) input.media_url = message.mediaUrl;
  if (message.mediaType !== null) input.media_type = message.mediaType;
  if (message.messageType !== null) input.message_type = message.messageType;
  if (message.attachments.length > 0) input.attachments = message.attachments;
  if (message.replyTo !== null) input.reply_to = message.replyTo;
  if (message.isStoryReply) input.is_story_reply = true;
  if (message.fileIdentifier !== null) input.file_identifier = message.fileIdentifier;
  if (message.mediaUrlExpiration !== null) input.media_url_expiration = message.mediaUrlExpiration;
  if (message.opensConversation) input.opens_conversation = true;
  return input;
}

/** Field by field: spreading what was sent costs several times as much, for every message. */
function created(
  sent: NewMessage,
  seq: number,
  membership: number,
  createdAt: string,
  replyQuote: Quote | null,
): Change {
  return {
    type: "message_created",
    conversationId: sent.conversationId,
    seq,
    membership,
    actor: { id: sent.sender.id, username: sent.sender.username },
    message: {
      id: sent.id,
      conversationId: sent.conversationId,
      seq,
      changedSeq: seq,
      sender: sent.sender,
      text: sent.text,
      mediaUrl: sent.mediaUrl,
      mediaType: sent.mediaType,
      messageType: sent.messageType,
      attachments: sent.attachments,
      replyTo: sent.replyTo,
      replyQuote,
      isStoryReply: sent.isStoryReply,
      fileIdentifier: sent.fileIdentifier,
      mediaUrlExpiration: sent.mediaUrlExpiration,
      clientId: sent.clientId,
      opensConversation: sent.opensConversation,
      createdAt,
      editedAt: null,
      deletedAt: null,
      deletedBy: null,
      pinnedAt: null,
      pinnedBy: null,
    },
  };
}

interface QuoteRow {
  readonly c: number;
  readonly id: string;
  readonly text: string;
  readonly sender_id: string;
  readonly first_name: string;
  readonly last_name: string;
  readonly created_at: number;
  readonly is_deleted: boolean;
}

/** The answered messages, by conversation and id. */
function quotesIn(rows: readonly Row[]): Map<string, Quote> {
  const quotes = new Map<string, Quote>();
  for (const { quotes: json } of rows) {
    if (typeof json !== "string") continue;
    for (const row of JSON.parse(json) as QuoteRow[]) {
      quotes.set(quoteKey(row.c, row.id), {
        id: row.id,
        text: row.text,
        senderId: row.sender_id,
        firstName: row.first_name,
        lastName: row.last_name,
        createdAt: new Date(row.created_at).toISOString(),
        isDeleted: row.is_deleted,
      });
    }
  }
  return quotes;
}

function quoteKey(c: number, id: string): string {
  return `${c} ${id}`;
}

function numberArray(values: readonly number[]): string {
  return `{${values.join(",")}}`;
}
