/** What people sent, and what they were told of it: the half of the truth that the clients hold. */

export interface SentMessage {
  readonly clientId: string;
  readonly sender: string;
  readonly conversationId: string;
  readonly text: string;
  /** The message as the first acknowledgement said it was stored. */
  acknowledged: { readonly id: string; readonly seq: number } | null;
}

interface Flow {
  isReached(): boolean;
  reached(): void;
}

/** Ms without the acknowledgements that a row waits for; long enough for a loaded machine. */
const PATIENCE = 30_000;

export class Ledger {
  readonly messages = new Map<string, SentMessage>();
  acknowledged = 0;
  /** Ms: the longest time in which nobody was told that anything was stored. */
  longestSilence = 0;
  #lastAcknowledgedAt = performance.now();
  #isClosed = false;
  readonly #flows = new Set<Flow>();

  /** A new message of `sender`, under a client id that no other has. */
  write(sender: string, conversationId: string): SentMessage {
    const clientId = `${sender}:${this.messages.size + 1}`;
    const message = { clientId, sender, conversationId, text: `${clientId} said`, acknowledged: null };
    this.messages.set(clientId, message);
    return message;
  }

  acknowledge(clientId: string, stored: { readonly id: string; readonly seq: number }): void {
    const message = this.messages.get(clientId);
    if (message === undefined || message.acknowledged !== null) return;
    message.acknowledged = { id: stored.id, seq: stored.seq };
    this.acknowledged += 1;
    this.#listen();
    for (const flow of this.#flows) if (flow.isReached()) flow.reached();
  }

  get unanswered(): number {
    return this.messages.size - this.acknowledged;
  }

  /** Silence counts from now on, and no longer after `close`. */
  open(): void {
    this.#lastAcknowledgedAt = performance.now();
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Resolves when `count` more were acknowledged; rejects when that takes half a minute. */
  async flows(count: number): Promise<void> {
    const before = this.acknowledged;
    if (await this.#reaches(() => this.acknowledged >= before + count)) return;
    throw new Error(`${this.acknowledged - before} of ${count} were acknowledged in ${PATIENCE} ms`);
  }

  /** Resolves when everything sent was acknowledged, or after half a minute: the judge counts what was not. */
  async settled(): Promise<void> {
    await this.#reaches(() => this.unanswered === 0);
  }

  /** Resolves when this one was acknowledged; rejects when that takes half a minute. */
  async answered(clientId: string): Promise<void> {
    if (await this.#reaches(() => this.messages.get(clientId)?.acknowledged !== null)) return;
    throw new Error(`${clientId} was not acknowledged in ${PATIENCE} ms`);
  }

  /** Resolves with whether it came to that in time. */
  #reaches(isReached: () => boolean): Promise<boolean> {
    if (isReached()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (isReached: boolean) => {
        clearTimeout(timer);
        this.#flows.delete(flow);
        resolve(isReached);
      };
      const timer = setTimeout(() => end(false), PATIENCE);
      const flow = { isReached, reached: () => end(true) };
      this.#flows.add(flow);
    });
  }

  #listen(): void {
    if (this.#isClosed) return;
    const now = performance.now();
    this.longestSilence = Math.max(this.longestSilence, Math.round(now - this.#lastAcknowledgedAt));
    this.#lastAcknowledgedAt = now;
  }
}
