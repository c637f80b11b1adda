/** What waits for the writer: a line for each user, which are served in turn, so that no one's jobs are another's wait. */
import { Queue } from "./queue.ts";
import { tooMany } from "./rate.ts";
import type { Amendment } from "./store.ts";
import { type Amending, Batch, type Job, userOf } from "./write-job.ts";

type Read = Extract<Amendment, { kind: "read" }>;

interface Line {
  readonly userId: string;
  readonly jobs: Queue<Job>;
  bytes: number;
  /** The reads at the end of the line, by what they read: asked for again, there is nothing to add to them. */
  readonly reads: Map<string, Amending>;
}

/** Jobs of one user that wait, over all their sockets and requests, and their bytes. Beyond either, more are refused. */
const MAX_JOBS = 1_000;
const MAX_BYTES = 4_194_304;
/** Milliseconds after which who was refused may try again; a commit takes a few. */
const RETRY_AFTER = 1_000;

export class WriteQueue {
  readonly #lines = new Map<string, Line>();
  /** Every line once; whose turn it is comes first. */
  readonly #turns = new Queue<Line>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @throws Refusal `rate_limited`: too many jobs of this user wait already. */
  push(job: Job): void {
    const line = this.#lineOf(userOf(job));
    if (line.jobs.size >= MAX_JOBS || (line.jobs.size > 0 && line.bytes + job.bytes > MAX_BYTES)) {
      throw tooMany("messages and changes under way", RETRY_AFTER);
    }
    line.jobs.push(job);
    line.bytes += job.bytes;
    this.#size += 1;
    if (job.kind === "amend" && job.input.kind === "read") line.reads.set(keyOf(job.input), job);
    // What is read from here on is read after this.
    else line.reads.clear();
  }

  /** A read that still waits and does all that this one asks for; nothing else of this user's is to come between them. */
  waitingFor(read: Read): Amending | undefined {
    return this.#lines.get(read.userId)?.reads.get(keyOf(read));
  }

  /**
   * Takes what can be committed together: one job of each user in turn, each user's in their order. Whose next job has to
   * come later comes first in the next batch.
   */
  take(): readonly Job[] {
    const batch = new Batch();
    const aside: Line[] = [];
    for (let line = this.#turns.shift(); line !== undefined; line = this.#turns.shift()) {
      const job = line.jobs.first;
      const verdict = job === undefined ? "enough" : batch.offer(job);
      if (verdict === "taken") this.#taken(line);
      else aside.push(line);
      if (verdict === "enough") break;
    }
    for (const line of aside.reverse()) this.#turns.unshift(line);
    return batch.jobs;
  }

  #taken(line: Line): void {
    const job = line.jobs.shift();
    if (job === undefined) return;
    this.#size -= 1;
    line.bytes -= job.bytes;
    if (job.kind === "amend" && job.input.kind === "read") {
      const key = keyOf(job.input);
      if (line.reads.get(key) === job) line.reads.delete(key);
    }
    if (line.jobs.size > 0) this.#turns.push(line);
    else this.#lines.delete(line.userId);
  }

  #lineOf(userId: string): Line {
    const known = this.#lines.get(userId);
    if (known !== undefined) return known;
    const line: Line = { userId, jobs: new Queue(), bytes: 0, reads: new Map() };
    this.#lines.set(userId, line);
    this.#turns.push(line);
    return line;
  }
}

/** Everything in a conversation, or up to a message: which of two messages is further only storage knows. */
function keyOf({ conversationId, messageId }: Read): string {
  return JSON.stringify([conversationId, messageId]);
}
