/**
 * One writer for each node, many messages for each commit. What arrives while a commit is in flight goes together into
 * the next one; when nothing is in flight, a message leaves at once and waits for nobody.
 *
 * A batch is committed in two steps, amendments (edits, deletions, pins, read marks) before messages: nothing in a batch
 * has been seen by anyone yet, so a read mark in it cannot mean a message in it.
 *
 * Source: group commit, as in Gray and Reuter, "Transaction Processing", 10.4.7.
 */
import { StorageUnavailable } from "./errors.ts";
import type { ConversationEvent, EventSink, MessagesRead } from "./events.ts";
import type {
  Amendment,
  AmendmentContext,
  AmendOutcome,
  Judgement,
  MessageStore,
  NewMessage,
  ReadMark,
  SendOutcome,
} from "./store.ts";

interface Sending {
  readonly kind: "send";
  readonly input: NewMessage;
  readonly resolve: (outcome: SendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

interface Amending {
  readonly kind: "amend";
  readonly input: Amendment;
  readonly resolve: (outcome: AmendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

type Job = Sending | Amending;

/** Tells local listeners, then those who wait, what became of a commit. Never throws. */
type Telling = () => void;

/** Bounds the size of one statement; at 256 the cost of a commit is already spread thin. */
const MAX_BATCH = 256;
/**
 * UTF-16 units of text, so that what one commit sends to a socket stays well below MAX_BUFFERED_BYTES, and who reads
 * has read it before the next one comes.
 */
const MAX_BATCH_TEXT = 131_072;

export interface WriterOptions {
  readonly store: Pick<MessageStore, "send" | "amend">;
  readonly sink: EventSink;
  readonly judge: (amendment: Amendment, context: AmendmentContext) => Judgement;
  /** Members above which reading is not announced to the others. */
  readonly largeRoomMembers: number;
}

export class Writer {
  readonly #options: WriterOptions;
  #queue: Job[] = [];
  #isRunning = false;
  /** Jobs since the start: those handed in, and those whose outcome was told. */
  #handedIn = 0;
  #told = 0;
  #settling: { readonly upTo: number; readonly resolve: () => void }[] = [];
  /** Of the batch before. */
  #lastSize = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Resolves after the commit, and after local listeners were told. Rejects with what storage rejected with. */
  send(input: NewMessage): Promise<SendOutcome> {
    return new Promise((resolve, reject) => this.#enqueue({ kind: "send", input, resolve, reject }));
  }

  amend(input: Amendment): Promise<AmendOutcome> {
    return new Promise((resolve, reject) => this.#enqueue({ kind: "amend", input, resolve, reject }));
  }

  /** Resolves when everything that was handed in so far was committed or refused, and told. What comes later is not waited for. */
  settled(): Promise<void> {
    if (this.#told === this.#handedIn) return Promise.resolve();
    return new Promise((resolve) => this.#settling.push({ upTo: this.#handedIn, resolve }));
  }

  #enqueue(job: Job): void {
    this.#queue.push(job);
    this.#handedIn += 1;
    if (!this.#isRunning) void this.#run();
  }

  /**
   * While a commit is on its way, what the one before it stored is told: storage and this process work at the same time.
   * Nothing is told out of order by that, since the next commit cannot be answered before this turn is over.
   */
  async #run(): Promise<void> {
    this.#isRunning = true;
    // Where messages come one by one, the next one leaves at once. Where they came together, as the echoes of a room make
    // its members answer, all that this turn of the event loop brings, from however many sockets, goes along.
    await (this.#lastSize > 1 ? new Promise<void>((resolve) => setImmediate(resolve)) : null);
    let tell: Telling = () => {};
    while (this.#queue.length > 0) {
      const size = batchSize(this.#queue);
      this.#lastSize = size;
      const batch = this.#queue.slice(0, size);
      this.#queue = this.#queue.slice(size);
      for (const commit of [this.#amend(batch), this.#send(batch)]) {
        if (commit === null) continue;
        const committed = commit();
        tell();
        tell = await committed;
      }
      tell = this.#settlingAfter(tell, batch.length);
      // With nothing to do meanwhile, it is told before what it makes clients send is looked for.
      if (this.#queue.length === 0) {
        tell();
        tell = () => {};
      }
    }
    this.#isRunning = false;
  }

  #settlingAfter(tell: Telling, jobs: number): Telling {
    return () => {
      tell();
      this.#told += jobs;
      const isTold = ({ upTo }: { upTo: number }) => upTo <= this.#told;
      for (const { resolve } of this.#settling.filter(isTold)) resolve();
      this.#settling = this.#settling.filter((settling) => !isTold(settling));
    };
  }

  /** Null when there are none in the batch. */
  #amend(batch: readonly Job[]): (() => Promise<Telling>) | null {
    const { store, judge } = this.#options;
    const jobs = batch.filter((job) => job.kind === "amend");
    if (jobs.length === 0) return null;
    return () =>
      this.#commit(
        jobs,
        (inputs) => store.amend(inputs, judge),
        (outcome) => this.#eventOf(outcome),
      );
  }

  #send(batch: readonly Job[]): (() => Promise<Telling>) | null {
    const { store } = this.#options;
    const jobs = batch.filter((job) => job.kind === "send");
    if (jobs.length === 0) return null;
    return () =>
      this.#commit(
        jobs,
        (inputs) => store.send(inputs),
        (outcome) => (outcome.status === "stored" ? outcome.change : null),
      );
  }

  async #commit<Input extends { conversationId: string | null }, Outcome>(
    jobs: readonly { input: Input; resolve: (outcome: Outcome) => void; reject: (error: unknown) => void }[],
    commit: (inputs: Input[]) => Promise<Outcome[]>,
    eventOf: (outcome: Outcome) => ConversationEvent | null,
  ): Promise<Telling> {
    let outcomes: Outcome[];
    try {
      outcomes = await commit(jobs.map((job) => job.input));
    } catch (error) {
      if (jobs.length > 1 && !(error instanceof StorageUnavailable)) {
        // One that the database will not take must not take the others with it.
        for (const job of jobs) (await this.#commit([job], commit, eventOf))();
        return () => {};
      }
      return () => {
        // The commit may have happened although its answer was lost.
        const conversationIds = new Set(jobs.map((job) => job.input.conversationId));
        this.#options.sink.doubt(isNamed(conversationIds) ? [...conversationIds] : "any");
        for (const job of jobs) job.reject(error);
      };
    }
    return () => {
      const events: ConversationEvent[] = [];
      for (const outcome of outcomes) {
        const event = eventOf(outcome);
        if (event !== null) events.push(event);
      }
      this.#options.sink.emit(events);
      for (const [index, job] of jobs.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined) job.reject(new Error("storage gave no outcome"));
        else job.resolve(outcome);
      }
    };
  }

  #eventOf(outcome: AmendOutcome): ConversationEvent | null {
    switch (outcome.status) {
      case "changed":
        return outcome.change;
      case "read":
        return this.#readEvent(outcome.mark);
      case "unchanged":
      case "forbidden":
      case "empty":
        return null;
    }
  }

  #readEvent({ user, membersCount, ...mark }: ReadMark): MessagesRead {
    return {
      type: "messages_read",
      ...mark,
      user: { id: user.id, username: user.username },
      announced: membersCount <= this.#options.largeRoomMembers,
    };
  }
}

/**
 * How much of the queue can be committed together. A batch ends before what must find an earlier job of it stored: the
 * same client id or chosen id again, an answer to a chosen id, and a user's amendment after their own message.
 */
function batchSize(queue: readonly Job[]): number {
  const senders = new Set<string>();
  const identities = new Set<string>();
  let text = 0;
  for (const [index, job] of queue.entries()) {
    if (index === MAX_BATCH) return index;
    switch (job.kind) {
      case "amend":
        if (senders.has(job.input.userId)) return index;
        break;
      case "send": {
        text += job.input.text.length;
        if (text > MAX_BATCH_TEXT && index > 0) return index;
        const mine = identitiesOf(job.input);
        if (mine.some((identity) => identities.has(identity))) return index;
        if (job.input.replyTo !== null && identities.has(job.input.replyTo)) return index;
        for (const identity of mine) identities.add(identity);
        senders.add(job.input.sender.id);
        break;
      }
    }
  }
  return queue.length;
}

function identitiesOf(message: NewMessage): string[] {
  const identities: string[] = [];
  if (message.idFromClient) identities.push(message.id);
  if (message.clientId !== null) {
    identities.push(JSON.stringify([message.conversationId, message.sender.id, message.clientId]));
  }
  return identities;
}

/** Whether all of them are known: an amendment may leave it to its message to say where it is. */
function isNamed(conversationIds: ReadonlySet<string | null>): conversationIds is ReadonlySet<string> {
  return !conversationIds.has(null);
}
