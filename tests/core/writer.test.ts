import { describe, expect, test } from "vitest";
import { StorageUnavailable } from "../../server/core/errors.ts";
import type { ConversationEvent, EventSink } from "../../server/core/events.ts";
import type { Amendment, AmendOutcome, NewMessage, SendOutcome } from "../../server/core/store.ts";
import { Writer } from "../../server/core/writer.ts";
import { draft, profileOf } from "../support/storage.ts";

const [alice, bob] = [profileOf("alice"), profileOf("bob")];

type Commit =
  | { readonly kind: "send"; readonly inputs: readonly NewMessage[]; settle(error: Error | null): void }
  | { readonly kind: "amend"; readonly inputs: readonly Amendment[]; settle(error: Error | null): void };

/** A store whose commits end when the test says so, and a sink that keeps a log with what the callers are told. */
class Bench implements EventSink {
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
    const unchanged = { editedAt: null, deletedAt: null, deletedBy: null, pinnedAt: null, pinnedBy: null };
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

function textsOf(commit: Commit): string[] {
  return commit.kind === "send" ? commit.inputs.map(({ text }) => text) : commit.inputs.map(({ kind }) => kind);
}

const read = (userId: string): Amendment => ({ kind: "read", userId, conversationId: "room", messageId: null });

describe("batches", () => {
  test("a message leaves at once; what arrives during its commit goes together into the next", async () => {
    const bench = new Bench();
    bench.say("1");
    const first = await bench.next();
    expect(textsOf(first)).toEqual(["1"]);
    for (const text of ["2", "3", "4"]) bench.say(text);
    first.settle(null);
    expect(await bench.run()).toEqual([["2", "3", "4"]]);
  });

  test("what is handed in in one tick goes together", async () => {
    const bench = new Bench();
    for (const text of ["1", "2", "3"]) bench.say(text);
    expect(await bench.run()).toEqual([["1", "2", "3"]]);
  });

  test("have at most 256", async () => {
    const bench = new Bench();
    for (let sent = 0; sent < 600; sent += 1) bench.say(`${sent}`);
    expect((await bench.run()).map((batch) => batch.length)).toEqual([256, 256, 88]);
  });

  test("amendments before messages", async () => {
    const bench = new Bench();
    bench.say("1");
    bench.writer.amend(read(bob.id));
    bench.say("2");
    expect(await bench.run()).toEqual([["read"], ["1", "2"]]);
  });

  describe("end before what must find an earlier one stored", () => {
    test.each<[string, Partial<NewMessage>, Partial<NewMessage>, string[][]]>([
      ["the same client id", { clientId: "c" }, { clientId: "c" }, [["1"], ["2"]]],
      ["another client id", { clientId: "c" }, { clientId: "d" }, [["1", "2"]]],
      ["another sender's client id", { clientId: "c" }, { clientId: "c", sender: bob }, [["1", "2"]]],
      ["the client id elsewhere", { clientId: "c" }, { clientId: "c", conversationId: "hall" }, [["1", "2"]]],
      ["the same chosen id", { id: "x" }, { id: "x", sender: bob, conversationId: "hall" }, [["1"], ["2"]]],
      ["an answer to a chosen id", { id: "x" }, { replyTo: "x" }, [["1"], ["2"]]],
      ["an answer to what was there", { id: "x" }, { replyTo: "y" }, [["1", "2"]]],
    ])("%s", async (_, first, second, batches) => {
      const bench = new Bench();
      bench.say("1", first);
      bench.say("2", second);
      expect(await bench.run()).toEqual(batches);
    });

    test("a user's amendment after their own message, but nobody else's", async () => {
      const bench = new Bench();
      bench.say("1");
      bench.writer.amend(read(bob.id));
      bench.writer.amend(read(alice.id));
      bench.say("2");
      expect(await bench.run()).toEqual([["read"], ["1"], ["read"], ["2"]]);
    });
  });
});

test("events are in the order of numbers, and emitted before anyone is told", async () => {
  const bench = new Bench();
  for (const text of ["1", "2"]) bench.say(text);
  const first = await bench.next();
  bench.say("3");
  first.settle(null);
  await bench.run();
  expect(bench.log).toEqual([
    ...["message_created 1", "message_created 2", "1: stored", "2: stored", "message_created 3", "3: stored"],
  ]);
});

test("a read mark is announced to who can see it: not in a large room", async () => {
  const bench = new Bench();
  const events: ConversationEvent[] = [];
  bench.emit = (emitted) => void events.push(...emitted);
  bench.writer.amend(read(bob.id));
  bench.writer.amend({ ...read(bob.id), messageId: "m" });
  await bench.run();
  const user = { id: bob.id, username: bob.username };
  const event = { type: "messages_read", conversationId: "room", messageId: "m", seq: 7, readAt: "", user };
  const counts = { unread: 0, asOf: 9, reads: 1 };
  expect(events).toEqual([
    { ...event, ...counts, announced: true },
    { ...event, ...counts, announced: false },
  ]);
});

describe("failures", () => {
  test("one that the database does not take goes alone", async () => {
    const bench = new Bench();
    const told = ["1", "poison", "2"].map((text) => bench.say(text));
    const all = await bench.next();
    expect(textsOf(all)).toEqual(["1", "poison", "2"]);
    all.settle(new Error("not taken"));
    for (const text of ["1", "poison", "2"]) {
      const one = await bench.next();
      expect(textsOf(one)).toEqual([text]);
      one.settle(text === "poison" ? new Error("not taken") : null);
    }
    await Promise.all(told);
    expect(bench.log).toEqual([
      ...["message_created 1", "1: stored", "doubt room", "poison: not taken", "message_created 2", "2: stored"],
    ]);
  });

  test("storage that is away refuses all of the batch, once, and casts doubt on its conversations", async () => {
    const bench = new Bench();
    const told = [bench.say("1"), bench.say("2", { conversationId: "hall" }), bench.say("3")];
    const commit = await bench.next();
    const away = new StorageUnavailable(new Error("cut"));
    commit.settle(away);
    await Promise.all(told);
    expect(bench.log).toEqual(["doubt room,hall", ...["1", "2", "3"].map((text) => `${text}: ${away.message}`)]);
    // And the next is tried afresh.
    bench.say("4");
    expect(await bench.run()).toEqual([["4"]]);
  });
});

describe("settled", () => {
  test("at once with nothing handed in, else when all that was is committed or refused, and told", async () => {
    const bench = new Bench();
    await bench.writer.settled();
    bench.say("1");
    const first = await bench.next();
    bench.say("2");
    const settled = bench.writer.settled().then(() => bench.log.push("settled"));
    first.settle(null);
    const second = await bench.next();
    second.settle(new StorageUnavailable(new Error("cut")));
    await settled;
    expect(bench.log.at(-1)).toBe("settled");
    expect(bench.log).toHaveLength(5);
  });

  test("without waiting for what is handed in later", async () => {
    const bench = new Bench();
    bench.say("1");
    const first = await bench.next();
    const settled = bench.writer.settled();
    bench.say("2");
    first.settle(null);
    // The second commit is begun, and never answered.
    await bench.next();
    await settled;
    expect(bench.log).toContain("1: stored");
  });
});
