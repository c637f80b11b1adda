/**
 * The ledger against storage: events as the store's outcomes make them, delivered as the channel layer may. Changes of a
 * conversation come in the order of their numbers; read marks come when they come, or never, and then their loss is
 * noticed; snapshots are asked for at any moment and arrive at any later one.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Change, MessagesRead } from "../../server/core/events.ts";
import { judge } from "../../server/core/messages.ts";
import type { Profile, Standing } from "../../server/core/model.ts";
import type { Amendment, ReadMark } from "../../server/core/store.ts";
import { type Notice, UnreadLedger } from "../../server/core/unread.ts";
import { draft, introduce, openEmbedded, openGroup, type Storage } from "../support/storage.ts";

type Step =
  | { readonly kind: "send"; readonly user: number; readonly conversation: number }
  | { readonly kind: "delete" | "read"; readonly user: number; readonly conversation: number; readonly message: number }
  | { readonly kind: "hear change" | "recount"; readonly conversation: number }
  | { readonly kind: "hear read" | "lose read" | "land"; readonly which: number };

const user = fc.nat(1);
const conversation = fc.nat(1);
const message = fc.nat(8);
const which = fc.nat(4);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("send" as const), user, conversation }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("delete" as const, "read"), user, conversation, message }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("hear change" as const), conversation }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("recount" as const), conversation }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom("hear read" as const, "lose read", "land", "land"), which }),
  },
);

let storage: Storage;
beforeAll(async () => {
  storage = await openEmbedded();
});
afterAll(() => storage?.close());

test("when everything was delivered the ledger says what storage says, and told of each message once", async () => {
  const users = await introduce(storage.store, "me", "other");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const node = await Node.open(users);
      for (const each of steps) await node.take(each);
      await node.deliverAll();
      await node.compare();
    }),
    { numRuns: 60 },
  );
}, 120_000);

test("a message that was applied to a stale snapshot is told with the next one, once", async () => {
  const [me, other] = await introduce(storage.store, "me", "other");
  const group = await openGroup(storage.store, me, other);
  const ledger = new UnreadLedger(me.id);
  ledger.expect(group);
  const empty = present(await storage.store.standing(me.id, group));
  const [first] = await storage.store.send([draft(other, group)]);
  const read: Amendment = { kind: "read", userId: me.id, conversationId: group, messageId: null };
  const [marked] = await storage.store.amend([read], judge);
  const [second] = await storage.store.send([draft(other, group)]);
  if (first?.status !== "stored" || second?.status !== "stored" || marked?.status !== "read")
    throw new Error("refused");
  // The read mark comes from another node, after the change that follows it.
  for (const event of [first.change, second.change, eventOf(marked.mark)]) expect(ledger.hear(event)).toEqual([]);
  expect(ledger.load(empty)).toBe("stale");
  const notices = ledger.load(present(await storage.store.standing(me.id, group)));
  if (notices === "stale") throw new Error("a snapshot of now is not stale");
  const told = notices.flatMap((notice) => (notice.kind === "message" ? notice.change.seq : []));
  expect(told).toEqual([1, 2]);
  expect(ledger.total).toBe(1);
});

/** What one node knows of the first of the two users. */
class Node {
  readonly #users: readonly Profile[];
  readonly #conversations: readonly string[];
  readonly #ledger: UnreadLedger;
  readonly #sent: { id: string; conversationId: string; sender: Profile }[] = [];
  readonly #changes = new Map<string, Change[]>();
  readonly #reads: MessagesRead[] = [];
  readonly #snapshots: Standing[] = [];
  readonly #told: Notice[] = [];

  private constructor(users: readonly Profile[], conversations: readonly string[]) {
    this.#users = users;
    this.#conversations = conversations;
    this.#ledger = new UnreadLedger(this.#me.id);
    for (const id of conversations) this.#changes.set(id, []);
  }

  static async open(users: readonly Profile[]): Promise<Node> {
    const node = new Node(users, [await openGroup(storage.store, ...users), await openGroup(storage.store, ...users)]);
    for (const id of node.#conversations) await node.#recount(id);
    return node;
  }

  get #me(): Profile {
    return present(this.#users[0]);
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case "send": {
        const sender = present(this.#users[step.user]);
        const [outcome] = await storage.store.send([draft(sender, present(this.#conversations[step.conversation]))]);
        if (outcome?.status !== "stored") throw new Error("a member's message was not stored");
        this.#sent.push(outcome.change.message);
        this.#changes.get(outcome.change.conversationId)?.push(outcome.change);
        return;
      }
      case "delete":
      case "read":
        return this.#amend(step);
      case "hear change": {
        const change = this.#changes.get(present(this.#conversations[step.conversation]))?.shift();
        if (change !== undefined) await this.#hear(change);
        return;
      }
      case "hear read": {
        const [read] = this.#reads.splice(step.which % Math.max(this.#reads.length, 1), 1);
        if (read !== undefined) await this.#hear(read);
        return;
      }
      case "lose read": {
        const [read] = this.#reads.splice(step.which % Math.max(this.#reads.length, 1), 1);
        if (read !== undefined) await this.#recount(read.conversationId);
        return;
      }
      case "recount":
        return this.#recount(present(this.#conversations[step.conversation]));
      case "land": {
        const [standing] = this.#snapshots.splice(step.which % Math.max(this.#snapshots.length, 1), 1);
        if (standing !== undefined) await this.#load(standing);
        return;
      }
    }
  }

  async #amend({ kind, ...step }: Extract<Step, { kind: "delete" | "read" }>): Promise<void> {
    const conversationId = present(this.#conversations[step.conversation]);
    const here = this.#sent.filter((each) => each.conversationId === conversationId);
    const target = here[step.message % Math.max(here.length, 1)];
    if (target === undefined) return;
    const reader = present(this.#users[step.user]).id;
    const amendment: Amendment =
      kind === "read"
        ? { kind, userId: reader, conversationId, messageId: target.id }
        : { kind, userId: target.sender.id, conversationId, messageId: target.id };
    const [outcome] = await storage.store.amend([amendment], judge);
    if (outcome?.status === "changed") this.#changes.get(conversationId)?.push(outcome.change);
    if (outcome?.status === "read") this.#reads.push(eventOf(outcome.mark));
  }

  async deliverAll(): Promise<void> {
    for (const read of this.#reads.splice(0)) await this.#hear(read);
    for (const changes of this.#changes.values()) for (const change of changes.splice(0)) await this.#hear(change);
    for (;;) {
      const standing = this.#snapshots.shift();
      if (standing === undefined) return;
      await this.#load(standing);
    }
  }

  async compare(): Promise<void> {
    let total = 0;
    for (const id of this.#conversations) {
      const standing = await storage.store.standing(this.#me.id, id);
      expect(this.#ledger.unread(id)).toBe(standing?.unread);
      total += standing?.unread ?? 0;
    }
    expect(this.#ledger.total).toBe(total);
    const told = this.#told.flatMap((notice) => (notice.kind === "message" ? notice.change.message.id : []));
    const ofOthers = this.#sent.filter(({ sender }) => sender.id !== this.#me.id).map(({ id }) => id);
    expect(told.toSorted()).toEqual(ofOthers.toSorted());
  }

  /** As `UserFeed` does. The snapshot is taken now and arrives later. */
  async #recount(conversationId: string): Promise<void> {
    this.#ledger.expect(conversationId);
    this.#snapshots.push(present(await storage.store.standing(this.#me.id, conversationId)));
  }

  async #hear(event: Change | MessagesRead): Promise<void> {
    await this.#follow(event.conversationId, this.#ledger.hear(event));
  }

  async #load(standing: Standing): Promise<void> {
    await this.#follow(standing.conversationId, this.#ledger.load(standing));
  }

  async #follow(conversationId: string, notices: Notice[] | "stale"): Promise<void> {
    if (notices === "stale") await this.#recount(conversationId);
    else this.#told.push(...notices);
  }
}

/** As the writer makes it. */
function eventOf({ user, membersCount: _, ...mark }: ReadMark): MessagesRead {
  return { type: "messages_read", ...mark, user: { id: user.id, username: user.username }, announced: true };
}

function present<T>(value: T | null | undefined): T {
  if (value === undefined || value === null) throw new Error("a step names what is not there");
  return value;
}
