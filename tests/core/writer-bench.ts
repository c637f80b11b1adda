import type { ConversationEvent, EventSink } from "../../server/core/events.ts";
import type { Amendment, AmendOutcome, NewMessage, SendOutcome } from "../../server/core/store.ts";
import { Writer } from "../../server/core/writer.ts";
import { draft, profileOf } from "../support/storage.ts";

export const [alice, bob] = [profileOf("alice"), profileOf("bob")];

export type Commit =
  | { readonly kind: "send"; readonly inputs: readonly NewMessage[]; settle(error: Error | null): void }
  | { readonly kind: "amend"; readonly inputs: readonly Amendment[]; settle(error: Error | null): void };

/** A store whose commits end when the test says so, and a sink that keeps a log with what the callers are told. */
export class Bench implements EventSink {
  readonly log: string[] = [];
  readonly writer: Writer;
  readonly #commits: Commit[] = [];
  readonly #awaited: ((commit: Commit) => void)[] = [];
  #seq = 0;

  constructor() {
    this.writer = new Writer({
      store: {
        send: (inputs) => this.#commit("send", inputs, () => inputs.map((input) => this.#stored(input))),
        amend: (inputs) => this.#commit("amend", inputs, () => inputs.map((input) => this.#amended(input))),
      },
      sink: this,
      judge: () => "apply",
      largeRoomMembers: 100,
    });
  }

  emit(events: readonly ConversationEvent[]): void {
    for (const event of events) this.log.push(`${event.type} ${"seq" in event ? event.seq : ""}`);
  }

  emitToUsers(): void {}

  doubt(conversationIds: readonly string[]): void {
    this.log.push(`doubt ${conversationIds.join()}`);
  }

  /** The next commit that the writer begins. */
  next(): Promise<Commit> {
    const commit = this.#commits.shift();
    return commit === undefined ? new Promise((resolve) => this.#awaited.push(resolve)) : Promise.resolve(commit);
  }

  /** Lets every commit from now on succeed; resolves with what went into each. */
  async run(): Promise<string[][]> {
    const batches: string[][] = [];
    const settled = this.writer.settled().then(() => null);
    for (;;) {
      const commit = await Promise.race([this.next(), settled]);
      if (commit === null) return batches;
      batches.push(textsOf(commit));
      commit.settle(null);
    }
  }

  /** What becomes of the promise goes into the log. */
  say(text: string, fields: Partial<NewMessage> = {}): Promise<void> {
    const sent = this.writer.send(draft(alice, "room", { ...fields, text }));
    return sent.then(
      (outcome) => void this.log.push(`${text}: ${outcome.status}`),
      (error: Error) => void this.log.push(`${text}: ${error.message}`),
    );
  }

  #commit<Input extends NewMessage | Amendment, Outcome>(
    kind: Commit["kind"],
    inputs: readonly Input[],
    outcomes: () => Outcome[],
  ): Promise<Outcome[]> {
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null) => (error === null ? resolve(outcomes()) : reject(error));
      const commit = { kind, inputs, settle } as unknown as Commit;
      const awaited = this.#awaited.shift();
      if (awaited === undefined) this.#commits.push(commit);
      else awaited(commit);
    });
  }

  #stored({ idFromClient: _, ...input }: NewMessage): SendOutcome {
    this.#seq += 1;
    const unchanged = {
      replyQuote: null,
      editedAt: null,
      deletedAt: null,
      deletedBy: null,
      pinnedAt: null,
      pinnedBy: null,
    };
    const message = { ...input, seq: this.#seq, changedSeq: this.#seq, createdAt: "", ...unchanged };
    const { conversationId, sender: actor } = input;
    const common = { conversationId, seq: this.#seq, membership: 0, actor };
    return { status: "stored", change: { type: "message_created", ...common, message } };
  }

  #amended(input: Amendment): AmendOutcome {
    if (input.kind !== "read") return { status: "forbidden" };
    const read = { conversationId: input.conversationId ?? "", messageId: "m", seq: 7, readAt: "", unread: 0, asOf: 9 };
    return {
      status: "read",
      mark: { ...read, user: bob, reads: 1, membersCount: input.messageId === null ? 100 : 101 },
    };
  }
}

export function textsOf(commit: Commit): string[] {
  return commit.kind === "send" ? commit.inputs.map(({ text }) => text) : commit.inputs.map(({ kind }) => kind);
}

export const read = (userId: string): Amendment => ({ kind: "read", userId, conversationId: "room", messageId: null });
