import { and, eq } from "drizzle-orm";
import { StorageUnavailable } from "../server/core/errors.ts";
import type { Change } from "../server/core/events.ts";
import type { Message } from "../server/core/model.ts";
import type { MessageStore, NewMessage, SendOutcome } from "../server/core/store.ts";
import { type Database, type Row, rowsOf } from "./client.ts";
import { answering, isUniqueViolation } from "./failures.ts";
import { selectMessages, toMessage, toNumber } from "./rows.ts";
import { messages } from "./schema.ts";
import { SendBatch } from "./send-batch.ts";
import { judgement } from "./send-statements.ts";

/** Attempts that store nothing though nothing is wrong with the batch, each because somebody's membership changed. */
const MAX_OVERTAKEN = 10;

type Refused = Exclude<SendOutcome["status"], "stored">;

type Attempt =
  | { readonly status: "stored"; readonly rows: readonly Row[] }
  /** Nothing was: something was found wrong, or an id was there already. */
  | { readonly status: "refused" | "doubled"; readonly cause: unknown };

/**
 * A batch costs one statement. Where something in it cannot be stored, it costs three: the one that stored nothing, one
 * that says which messages are to be left out, and one for the rest.
 */
export function sendStore({ writer, drizzle }: Database): Pick<MessageStore, "send"> {
  async function attempt(batch: SendBatch): Promise<Attempt> {
    if (batch.messages.length === 0) return { status: "stored", rows: [] };
    try {
      const rows = await writer.query(...batch.statement());
      if (rows.length > 0) return { status: "stored", rows };
      return { status: "refused", cause: new Error("a batch was refused, and no message of it") };
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      return { status: "doubled", cause: error };
    }
  }

  async function judge(sent: readonly NewMessage[]): Promise<Map<NewMessage, Refused>> {
    const input = sent.map(({ id, idFromClient, conversationId, sender, clientId, replyTo }, n) => ({
      n,
      id,
      id_from_client: idFromClient,
      conversation_id: conversationId,
      sender_id: sender.id,
      client_id: clientId,
      reply_to: replyTo,
    }));
    const refused = new Map<NewMessage, Refused>();
    for (const row of rowsOf(await drizzle.execute(judgement(JSON.stringify(input))))) {
      const message = sent[toNumber(row.n)];
      if (message !== undefined) refused.set(message, row.refusal as Refused);
    }
    return refused;
  }

  async function outcomeOf(
    message: NewMessage,
    change: Change | undefined,
    status: Refused | undefined,
  ): Promise<SendOutcome> {
    if (change !== undefined) return { status: "stored", change };
    if (status === undefined) throw new Error("a message was neither stored nor refused");
    return status === "repeated" ? { status, message: await firstIfRead(message) } : { status };
  }

  /** Null while storage does not answer: the batch is committed, and its other messages are not to be denied for it. */
  async function firstIfRead(sent: NewMessage): Promise<Message | null> {
    try {
      return await answering(() => firstOf(sent));
    } catch (error) {
      if (error instanceof StorageUnavailable) return null;
      throw error;
    }
  }

  async function firstOf(sent: NewMessage): Promise<Message> {
    const { conversationId, sender, clientId } = sent;
    if (clientId === null) throw new Error("a message without a client id cannot be a repetition");
    const [row] = await selectMessages(
      drizzle,
      and(
        eq(messages.conversationId, conversationId),
        eq(messages.senderId, sender.id),
        eq(messages.clientId, clientId),
      ),
    );
    if (row === undefined) throw new Error("a repeated message was not found");
    // Who says the client id knows it; a tombstone tells it to nobody else.
    return { ...toMessage(row), clientId };
  }

  return {
    send: async (sent) => {
      const refused = new Map<NewMessage, Refused>();
      let batch = new SendBatch(sent);
      let places = await attempt(batch);
      for (let overtaken = 0; places.status !== "stored"; places = await attempt(batch)) {
        const found = await judge(batch.messages);
        if (found.size === 0) {
          overtaken += 1;
          if (places.status === "doubled" || overtaken > MAX_OVERTAKEN) throw places.cause;
        }
        for (const [message, status] of found) refused.set(message, status);
        batch = new SendBatch(sent.filter((message) => !refused.has(message)));
      }
      const changes = batch.changes(places.rows);
      if (refused.size === 0) return changes.map((change) => ({ status: "stored", change }));
      const stored = new Map(batch.messages.map((message, n) => [message, changes[n]]));
      return Promise.all(sent.map((message) => outcomeOf(message, stored.get(message), refused.get(message))));
    },
  };
}
