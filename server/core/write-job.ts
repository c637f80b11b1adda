/** What waits for the writer, and what of it can be committed together. */
import type { Amendment, AmendOutcome, NewMessage, SendOutcome } from "./store.ts";

interface Waiting<Input, Outcome> {
  readonly input: Input;
  /** 1, 2, 3, … in the order in which they were handed in. */
  readonly number: number;
  /** Of what the client chose: texts, attachments, quotes. */
  readonly bytes: number;
  readonly outcome: Promise<Outcome>;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

export interface Sending extends Waiting<NewMessage, SendOutcome> {
  readonly kind: "send";
}

export interface Amending extends Waiting<Amendment, AmendOutcome> {
  readonly kind: "amend";
}

export type Job = Sending | Amending;

export function sending(number: number, input: NewMessage): Sending {
  return { kind: "send", input, number, bytes: bytesOfMessage(input), ...promised<SendOutcome>() };
}

export function amending(number: number, input: Amendment): Amending {
  const bytes = input.kind === "edit" ? Buffer.byteLength(input.text) : 0;
  return { kind: "amend", input, number, bytes, ...promised<AmendOutcome>() };
}

export function userOf(job: Job): string {
  return job.kind === "send" ? job.input.sender.id : job.input.userId;
}

function promised<Outcome>(): Pick<Waiting<never, Outcome>, "outcome" | "resolve" | "reject"> {
  let resolve: (outcome: Outcome) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const outcome = new Promise<Outcome>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { outcome, resolve, reject };
}

/** What an answer shows of the message that it answers, at most: 1000 code points. */
const QUOTE_BYTES = 4_000;

function bytesOfMessage({ text, mediaUrl, attachments, replyTo }: NewMessage): number {
  return (
    Buffer.byteLength(text) +
    (mediaUrl?.length ?? 0) +
    (attachments.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(attachments))) +
    (replyTo === null ? 0 : QUOTE_BYTES)
  );
}

/** Bounds the size of one statement; at 256 the cost of a commit is already spread thin. */
const MAX_BATCH = 256;
/**
 * Bytes of what clients chose, so that what one commit sends to a socket stays well below MAX_BUFFERED_BYTES, and who reads
 * has read it before the next one comes. A single job may be larger.
 */
const MAX_BATCH_BYTES = 131_072;

/** `later`: it must find an earlier job of this batch stored. `enough`: the batch is full. */
export type Verdict = "taken" | "later" | "enough";

/**
 * Jobs that are committed together. None of them has to find another one stored: the same client id or chosen id again, an
 * answer to a chosen id, and a user's amendment after their own message come later.
 */
export class Batch {
  readonly jobs: Job[] = [];
  #bytes = 0;
  readonly #senders = new Set<string>();
  readonly #identities = new Set<string>();

  offer(job: Job): Verdict {
    const isFull = this.jobs.length > 0 && this.#bytes + job.bytes > MAX_BATCH_BYTES;
    if (isFull || this.jobs.length === MAX_BATCH) return "enough";
    if (!this.#isIndependent(job)) return "later";
    this.jobs.push(job);
    this.#bytes += job.bytes;
    return "taken";
  }

  #isIndependent(job: Job): boolean {
    if (job.kind === "amend") return !this.#senders.has(job.input.userId);
    const { replyTo, sender } = job.input;
    const mine = identitiesOf(job.input);
    if (mine.some((identity) => this.#identities.has(identity))) return false;
    if (replyTo !== null && this.#identities.has(replyTo)) return false;
    for (const identity of mine) this.#identities.add(identity);
    this.#senders.add(sender.id);
    return true;
  }
}

function identitiesOf(message: NewMessage): string[] {
  const identities: string[] = [];
  if (message.idFromClient) identities.push(message.id);
  if (message.clientId !== null) {
    identities.push(JSON.stringify([message.conversationId, message.sender.id, message.clientId]));
  }
  return identities;
}
