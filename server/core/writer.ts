/**
 * One writer for each node, many messages for each commit. What arrives while a commit is in flight goes together into
 * the next one; when nothing is in flight, a message leaves at once and waits for nobody. Users are served in turn.
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
import { amending, type Job, sending } from "./write-job.ts";
import { WriteQueue } from "./write-queue.ts";

/** Tells local listeners, then those who wait, what became of a commit. Never throws. */
type Telling = () => void;

export interface WriterOptions {
  readonly store: Pick<MessageStore, "send" | "amend">;
  readonly sink: EventSink;
  readonly judge: (amendment: Amendment, context: AmendmentContext) => Judgement;
  /** Members above which reading is not announced to the others. */
  readonly largeRoomMembers: number;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #queue = new WriteQueue();
  #isRunning = false;
  /** Jobs since the start: those handed in, and those whose outcome was told. */
  #handedIn = 0;
  #told = 0;
  /** `left`: jobs up to this number that are yet to be told. */
  #settling: { readonly upTo: number; left: number; readonly resolve: () => void }[] = [];
  /** Of the batch before. */
  #lastSize = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Resolves after the commit, and after local listeners were told.
   *
   * @throws Refusal `rate_limited`: too much of this user's is under way; and what storage rejected with
   */
  send(input: NewMessage): Promise<SendOutcome> {
    const job = sending(this.#handedIn + 1, input);
    this.#enqueue(job);
    return job.outcome;
  }

  /** As `send`. Reads of the same that wait together are one: their outcome is shared, its event emitted once. */
  amend(input: Amendment): Promise<AmendOutcome> {
    const waiting = input.kind === "read" ? this.#queue.waitingFor(input) : undefined;
    if (waiting !== undefined) return waiting.outcome;
    const job = amending(this.#handedIn + 1, input);
    this.#enqueue(job);
    return job.outcome;
  }

  /** Jobs that wait for a commit to begin. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Resolves when everything that was handed in so far was committed or refused, and told. What comes later is not waited for. */
  settled(): Promise<void> {
    const left = this.#handedIn - this.#told;
    if (left === 0) return Promise.resolve();
    return new Promise((resolve) => this.#settling.push({ upTo: this.#handedIn, left, resolve }));
  }

  #enqueue(job: Job): void {
    try {
      this.#queue.push(job);
    } catch (error) {
      job.reject(error);
      return;
    }
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
    while (this.#queue.size > 0) {
      const batch = this.#queue.take();
      this.#lastSize = batch.length;
      for (const commit of [this.#amend(batch), this.#send(batch)]) {
        if (commit === null) continue;
        const committed = commit();
        tell();
        tell = await committed;
      }
      tell = this.#settlingAfter(tell, batch);
      // With nothing to do meanwhile, it is told before what it makes clients send is looked for.
      if (this.#queue.size === 0) {
        tell();
        tell = () => {};
      }
    }
    this.#isRunning = false;
  }

  #settlingAfter(tell: Telling, batch: readonly Job[]): Telling {
    return () => {
      tell();
      this.#told += batch.length;
      if (this.#settling.length === 0) return;
      for (const settling of this.#settling) {
        for (const { number } of batch) if (number <= settling.upTo) settling.left -= 1;
        if (settling.left === 0) settling.resolve();
      }
      this.#settling = this.#settling.filter(({ left }) => left > 0);
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

/** Whether all of them are known: an amendment may leave it to its message to say where it is. */
function isNamed(conversationIds: ReadonlySet<string | null>): conversationIds is ReadonlySet<string> {
  return !conversationIds.has(null);
}
