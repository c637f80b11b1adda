/** Unread is a subtraction; here it is compared with a count, after arbitrary interleavings. */
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { judge } from "../../server/core/messages.ts";
import type { Profile } from "../../server/core/model.ts";
import type { Amendment, AmendOutcome } from "../../server/core/store.ts";
import { describeStorage, draft, introduce, openGroup, query, type Storage } from "../support/storage.ts";

/** Numbers choose among what there is when the step is taken. */
interface Deed {
  readonly user: number;
  readonly conversation: number;
  readonly message: number;
}

type AmendmentDeed = Deed & { readonly kind: "read all" | "read up to" | "delete" | "edit" | "pin" };

type Step =
  | { readonly kind: "send"; readonly batch: readonly Deed[] }
  | { readonly kind: "amend"; readonly batch: readonly AmendmentDeed[] }
  | { readonly kind: "leave" | "join"; readonly deed: Deed };

const deed = { user: fc.nat(2), conversation: fc.nat(2), message: fc.nat(30) };
const batchOf = <T>(each: fc.Arbitrary<T>) => fc.array(each, { minLength: 1, maxLength: 6 });
const amendmentKind = fc.constantFrom<AmendmentDeed["kind"]>(
  "read all",
  "read up to",
  "delete",
  "delete",
  "edit",
  "pin",
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("send" as const), batch: batchOf(fc.record(deed)) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("amend" as const),
      batch: batchOf(fc.record({ ...deed, kind: amendmentKind })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom("leave" as const, "join" as const), deed: fc.record(deed) }),
  },
);

describeStorage("unread", (storage) => {
  test("is what a recount gives, after every step of any interleaving", async () => {
    const users = await introduce(storage().store, "alice", "bob", "carol");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25, size: "max" }), async (steps) => {
        const scene = await Scene.open(storage(), users);
        for (const each of steps) await scene.take(each);
      }),
      { numRuns: 20 },
    );
  }, 120_000);
});

/** Two groups of the three and a direct conversation of the first two; and where each cursor should stand. */
class Scene {
  readonly #storage: Storage;
  readonly #users: readonly Profile[];
  readonly #conversations: readonly string[];
  readonly #messages: { id: string; conversationId: string; seq: number }[] = [];
  readonly #cursors = new Map<string, number>();

  private constructor(storage: Storage, users: readonly Profile[], conversations: readonly string[]) {
    this.#storage = storage;
    this.#users = users;
    this.#conversations = conversations;
  }

  static async open(storage: Storage, users: readonly Profile[]): Promise<Scene> {
    const groups = [await openGroup(storage.store, ...users), await openGroup(storage.store, ...users)];
    // The pair's direct conversation would be the same in every run: theirs is a new pair's.
    const [one, other] = await introduce(storage.store, "one", "other");
    const { conversation } = await storage.store.openDirect(one.id, other.id);
    const scene = new Scene(storage, [...users, one, other], [...groups, conversation.id]);
    for (const id of groups) for (const user of users) scene.#cursors.set(keyOf(id, user.id), 0);
    for (const user of [one, other]) scene.#cursors.set(keyOf(conversation.id, user.id), 0);
    return scene;
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case "send":
        await this.#send(step.batch);
        break;
      case "amend":
        await this.#amend(step.batch);
        break;
      case "leave":
      case "join":
        await this.#changeMembership(step.kind, step.deed);
        break;
    }
    await this.#compare();
  }

  async #send(batch: readonly Deed[]): Promise<void> {
    const outcomes = await this.#storage.store.send(
      batch.map((each) => {
        const { user, conversationId } = this.#actorAndPlace(each);
        return draft(user, conversationId);
      }),
    );
    for (const [index, outcome] of outcomes.entries()) {
      const { user, conversationId } = this.#actorAndPlace(batch[index] ?? { user: 0, conversation: 0, message: 0 });
      expect(outcome.status).toBe(this.#cursors.has(keyOf(conversationId, user.id)) ? "stored" : "not_a_member");
      if (outcome.status === "stored") this.#messages.push(outcome.change.message);
    }
  }

  async #amend(batch: readonly AmendmentDeed[]): Promise<void> {
    const amendments = batch.flatMap((each) => this.#amendment(each) ?? []);
    const outcomes = await this.#storage.store.amend(amendments, judge);
    for (const amendment of amendments) if (amendment.kind === "read") this.#moveCursor(amendment);
    for (const [index, outcome] of outcomes.entries()) await this.#compareMark(amendments[index], outcome);
  }

  #amendment({ kind, ...each }: AmendmentDeed): Amendment | null {
    const { user, conversationId } = this.#actorAndPlace(each);
    const here = this.#messages.filter((message) => message.conversationId === conversationId);
    const messageId = here[each.message % Math.max(here.length, 1)]?.id;
    if (kind === "read all") return { kind: "read", userId: user.id, conversationId, messageId: null };
    if (messageId === undefined) return null;
    const common = { userId: user.id, conversationId, messageId };
    switch (kind) {
      case "read up to":
        return { kind: "read", ...common };
      case "delete":
        return { kind, ...common };
      case "edit":
        return { kind, ...common, text: `${each.message}` };
      case "pin":
        return { kind, ...common, pinned: each.message % 2 === 0 };
    }
  }

  #moveCursor({ userId, conversationId, messageId }: Extract<Amendment, { kind: "read" }>): void {
    const key = keyOf(conversationId ?? "", userId);
    const before = this.#cursors.get(key);
    if (before === undefined) return;
    const seqs = this.#messages
      .filter((message) => (messageId === null ? message.conversationId === conversationId : message.id === messageId))
      .map((message) => message.seq);
    this.#cursors.set(key, Math.max(before, ...seqs));
  }

  async #changeMembership(kind: "leave" | "join", each: Deed): Promise<void> {
    const { user, conversationId } = this.#actorAndPlace({ ...each, conversation: each.conversation % 2 });
    const { store } = this.#storage;
    if (kind === "leave") {
      await store.removeMember(conversationId, user.id);
      this.#cursors.delete(keyOf(conversationId, user.id));
      return;
    }
    const change = await store.addMembers(conversationId, [user.id], 10);
    if (change === "too_many") throw new Error("there is room for ten");
    if (change.users.length > 0) this.#cursors.set(keyOf(conversationId, user.id), change.conversation.seq);
  }

  /** A read's own answer is true as of its batch. */
  async #compareMark(amendment: Amendment | undefined, outcome: AmendOutcome): Promise<void> {
    if (outcome.status !== "read" || amendment === undefined) return;
    const { conversationId, user, seq, unread, asOf } = outcome.mark;
    const standing = await this.#storage.store.standing(user.id, conversationId);
    expect(standing).toEqual({ conversationId, userId: user.id, cursor: seq, unread, asOf });
  }

  /** Messages of others, not deleted, created after the cursor. */
  async #compare(): Promise<void> {
    const recount = await query(
      this.#storage,
      sql`
        select m.conversation_id, m.user_id, m.cursor_seq::float8 as cursor, c.seq::float8 as as_of,
          count(message.id)::float8 as unread
        from members m
        join conversations c on c.id = m.conversation_id
        left join messages message on message.conversation_id = m.conversation_id
          and message.sender_id <> m.user_id and message.deleted_at is null and message.seq > m.cursor_seq
        where m.conversation_id in ${[...this.#conversations]}
        group by m.conversation_id, m.user_id, c.seq`,
    );
    expect(new Map(recount.map((row) => [keyOf(row.conversation_id, row.user_id), row.cursor]))).toEqual(this.#cursors);
    const mine = new Set(this.#conversations);
    const standings = (await Promise.all(this.#users.map(({ id }) => this.#storage.store.standings(id)))).flat();
    expect(new Set(standings.filter((standing) => mine.has(standing.conversationId)))).toEqual(
      new Set(
        recount.map((row) => ({
          conversationId: row.conversation_id,
          userId: row.user_id,
          cursor: row.cursor,
          unread: row.unread,
          asOf: row.as_of,
        })),
      ),
    );
  }

  #actorAndPlace({ user, conversation }: Deed): { user: Profile; conversationId: string } {
    const conversationId = this.#conversations[conversation];
    // In the direct conversation the third is the first again.
    const actor = this.#users[conversation === 2 ? 3 + (user % 2) : user];
    if (conversationId === undefined || actor === undefined) throw new Error("a step names nobody");
    return { user: actor, conversationId };
  }
}

function keyOf(conversationId: unknown, userId: unknown): string {
  return JSON.stringify([conversationId, userId]);
}
