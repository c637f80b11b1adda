/**
 * The line for what is large: pages of history, lists, replays. A read is under way until its reader has taken what was read,
 * so that readers who take nothing hold a few answers and not a node's memory. Users take turns; a user's first reads go
 * before another's tenth.
 */
import { Refusal } from "./errors.ts";

export interface LargeReadsOptions {
  /** Of what a read brings at a time: reserved until the read says what it holds. */
  readonly pageBytes: number;
  /** Under way together, of one user. */
  readonly perUser?: number;
  /** In the line, of one user. */
  readonly waitingPerUser?: number;
  /** How long one waits in the line, in ms. */
  readonly patience?: number;
  /** Held by the reads of all users, in pages. */
  readonly pages?: number;
  /** After so long, in ms, a read that holds up others has to give way. */
  readonly grace?: number;
}

/** What is under way now; tests and metrics ask for it. */
export interface LargeReadCounts {
  readonly underWay: number;
  readonly waiting: number;
  /** Reserved, or read and not taken yet. */
  readonly bytes: number;
}

export interface LargeRead {
  /** So many bytes wait to be taken. */
  hold(bytes: number): void;
  /** They were taken, or never will be. May be called twice. */
  release(): void;
}

/** Something that its reader has not taken yet. */
interface Holding {
  readonly userId: string;
  readonly since: number;
  /** Null: it is no large read, and ends with its request. */
  readonly giveWay: (() => void) | null;
  bytes: number;
}

interface Waiting {
  readonly giveWay: () => void;
  readonly begin: (read: LargeRead) => void;
}

/** What those who are refused are told to wait, in ms. */
const RETRY = 1_000;

export class LargeReads {
  readonly #options: Required<LargeReadsOptions>;
  /** The oldest first. */
  readonly #holdings = new Set<Holding>();
  /** Of each user: large reads under way, and bytes of all that they have not taken. */
  readonly #users = new Map<string, { reads: number; bytes: number }>();
  /** Users in the order of their turns; each one's reads in the order in which they came. */
  readonly #waiting = new Map<string, Set<Waiting>>();
  #bytes = 0;

  constructor(options: LargeReadsOptions) {
    const standard = { perUser: 4, waitingPerUser: 64, patience: 5_000, pages: 64, grace: 10_000 };
    this.#options = { ...standard, ...options };
  }

  get counts(): LargeReadCounts {
    const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0);
    return {
      underWay: sum([...this.#users.values()].map(({ reads }) => reads)),
      waiting: sum([...this.#waiting.values()].map(({ size }) => size)),
      bytes: this.#bytes,
    };
  }

  /**
   * Resolves when the read may begin. `giveWay`: end it, its reader takes too long and others wait.
   *
   * @throws TooManyLargeReads: too many of this user wait, or it waited too long
   */
  async take(userId: string, giveWay: () => void): Promise<LargeRead> {
    const line = this.#waiting.get(userId) ?? new Set<Waiting>();
    if (line.size === 0 && this.#hasRoomFor(userId)) return this.#begin(userId, giveWay);
    if (line.size >= this.#options.waitingPerUser) throw new TooManyLargeReads();
    this.#waiting.set(userId, line);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        giveWay,
        begin: (read) => {
          clearTimeout(timer);
          resolve(read);
        },
      };
      const timer = setTimeout(() => {
        this.#forget(userId, waiting);
        reject(new TooManyLargeReads());
      }, this.#options.patience).unref();
      line.add(waiting);
      this.#askForRoom();
    });
  }

  /** For an answer that is no large read: it takes no turn, but a user who takes nothing gets no more of them. */
  hold(userId: string, bytes: number): LargeRead {
    return this.#handle(this.#add({ userId, since: performance.now(), giveWay: null, bytes }));
  }

  /** @throws TooManyLargeReads: the user has to take what was answered first */
  checkTaken(userId: string): void {
    const { perUser, pageBytes } = this.#options;
    if ((this.#users.get(userId)?.bytes ?? 0) > perUser * pageBytes) throw new TooManyLargeReads();
  }

  #hasRoomFor(userId: string): boolean {
    const { perUser, pageBytes, pages } = this.#options;
    return (this.#users.get(userId)?.reads ?? 0) < perUser && this.#bytes + pageBytes <= pages * pageBytes;
  }

  #begin(userId: string, giveWay: () => void): LargeRead {
    return this.#handle(this.#add({ userId, since: performance.now(), giveWay, bytes: this.#options.pageBytes }));
  }

  #add(holding: Holding): Holding {
    this.#holdings.add(holding);
    const user = this.#users.get(holding.userId) ?? { reads: 0, bytes: 0 };
    this.#users.set(holding.userId, user);
    if (holding.giveWay !== null) user.reads += 1;
    user.bytes += holding.bytes;
    this.#bytes += holding.bytes;
    return holding;
  }

  #handle(holding: Holding): LargeRead {
    return {
      hold: (bytes) => {
        if (this.#holdings.has(holding)) this.#resize(holding, bytes);
      },
      release: () => {
        if (!this.#holdings.has(holding)) return;
        this.#resize(holding, 0);
        this.#holdings.delete(holding);
        const user = this.#users.get(holding.userId);
        if (user === undefined) return;
        if (holding.giveWay !== null) user.reads -= 1;
        if (user.reads === 0 && user.bytes === 0) this.#users.delete(holding.userId);
        this.#beginWaiting();
      },
    };
  }

  #resize(holding: Holding, bytes: number): void {
    const user = this.#users.get(holding.userId);
    if (user !== undefined) user.bytes += bytes - holding.bytes;
    this.#bytes += bytes - holding.bytes;
    holding.bytes = bytes;
    this.#beginWaiting();
  }

  /** One of each user, in turn, as long as there is room. */
  #beginWaiting(): void {
    for (const [userId, line] of this.#waiting) {
      const [first] = line;
      if (first === undefined || !this.#hasRoomFor(userId)) continue;
      this.#forget(userId, first);
      // To the end: the others' first goes before this user's next.
      if (line.size > 0) {
        this.#waiting.delete(userId);
        this.#waiting.set(userId, line);
      }
      first.begin(this.#begin(userId, first.giveWay));
    }
  }

  #forget(userId: string, waiting: Waiting): void {
    const line = this.#waiting.get(userId);
    line?.delete(waiting);
    if (line?.size === 0) this.#waiting.delete(userId);
  }

  /** Where the node is full, the one that has been under way for longest, and long enough, gives way. */
  #askForRoom(): void {
    const { pageBytes, pages, grace } = this.#options;
    if (this.#bytes + pageBytes <= pages * pageBytes) return;
    const before = performance.now() - grace;
    for (const { since, giveWay } of this.#holdings) {
      if (since > before) return;
      if (giveWay === null) continue;
      giveWay();
      return;
    }
  }
}

export class TooManyLargeReads extends Refusal {
  constructor() {
    super("rate_limited", `too many large answers at a time; try again in ${RETRY} ms`, { retryAfter: RETRY });
  }
}
