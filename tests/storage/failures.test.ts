/** Storage that goes away and comes back, on a PostgreSQL of the test's own. */
import { createServer } from "node:net";
import { setImmediate } from "node:timers/promises";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { Drizzle } from "../../db/client.ts";
import { answering } from "../../db/failures.ts";
import { StorageUnavailable } from "../../server/core/errors.ts";
import type { Profile } from "../../server/core/model.ts";
import { type PostgresServer, postgresBinaries, startPostgres } from "../support/postgres-server.ts";
import { freePort } from "../support/server-process.ts";
import {
  draft,
  historyOf,
  introduce,
  openGroup,
  openStorageNode,
  query,
  type StorageNode,
  say,
} from "../support/storage.ts";
import { startWire, type Wire } from "./wire.ts";

const isMissing = postgresBinaries() === undefined;

describe.skipIf(isMissing)(
  `storage that goes away${isMissing ? " (no PostgreSQL binaries on this machine)" : ""}`,
  () => {
    let server: PostgresServer;
    let wire: Wire;
    let node: StorageNode;
    /** The same database through the wire. */
    let wired: StorageNode;
    let alice: Profile;
    let group: string;

    beforeAll(async () => {
      server = await startPostgres();
      wire = await startWire(server.url);
      node = await openStorageNode(server.url);
      wired = await openStorageNode(wire.url);
      [alice] = await introduce(node.store, "alice");
      group = await openGroup(node.store, alice);
    });
    afterAll(async () => {
      await node?.database.close();
      await wired?.database.close();
      await wire?.close();
      await server?.stop();
    });

    /** One of each kind: on the writer, in a transaction of it, on a reader, in a transaction of one. */
    const work = ({ store }: StorageNode): Promise<unknown>[] => [
      store.send([draft(alice, group)]),
      store.amend([{ kind: "read", userId: alice.id, conversationId: group, messageId: null }], () => "apply"),
      store.user(alice.id),
      store.changes(group, 0, 1, 1),
      store.openDirect(alice.id, alice.id),
      store.ping(),
    ];

    async function expectUnavailable(): Promise<void> {
      for (const outcome of await Promise.allSettled(work(node))) {
        expect(outcome).toMatchObject({ status: "rejected", reason: expect.any(StorageUnavailable) });
        expect(outcome).toMatchObject({ reason: { code: "unavailable" } });
      }
    }

    /** By itself: nothing is reopened. What is asked while it is not back yet is refused, and nothing is left hanging. */
    async function expectRecovery(of: StorageNode): Promise<void> {
      for (;;) {
        const outcomes = await Promise.allSettled(work(of));
        if (outcomes.every(({ status }) => status === "fulfilled")) return;
        for (const outcome of outcomes) {
          if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(StorageUnavailable);
        }
      }
    }

    test("a server that crashed: unavailable until it is back, and nothing that was confirmed is lost", async () => {
      const [outcome] = await node.store.send([draft(alice, group, { clientId: "before" })]);
      expect(outcome?.status).toBe("stored");
      await server.kill();
      await expectUnavailable();
      await server.restart();
      await expectRecovery(node);
      expect(await node.store.send([draft(alice, group, { clientId: "before" })])).toMatchObject([
        { status: "repeated" },
      ]);
    });

    test("a restart between two requests", async () => {
      await server.restart();
      await expectRecovery(node);
    });

    test("connections that are cut while work is on them", async () => {
      for (let round = 0; round < 5; round += 1) {
        await expectRecovery(wired);
        const asked = work(wired);
        wire.cut();
        for (const outcome of await Promise.allSettled(asked)) {
          if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(StorageUnavailable);
        }
      }
      await expectRecovery(wired);
    });

    test("a connection that is cut in the middle of a transaction", async () => {
      for (const text of ["for update", "insert into changes", "update members"]) {
        await expectRecovery(wired);
        const { id: messageId } = await say(node.store, alice, group);
        wire.loseAnswerTo(text);
        const common = { userId: alice.id, conversationId: group, messageId };
        const amended = wired.store.amend(
          [
            { kind: "delete", ...common },
            { kind: "read", ...common },
          ],
          () => "apply",
        );
        await expect(amended).rejects.toBeInstanceOf(StorageUnavailable);
        const history = await historyOf(node.store, {
          conversationId: group,
          before: null,
          after: null,
          limit: 1,
          pinned: false,
        });
        expect(history).toMatchObject([{ id: messageId, deletedAt: null }]);
      }
      await expectRecovery(wired);
    });

    test("connections that the server ends, as it does when it is shut down", async () => {
      const end = async (inside: Pick<Drizzle, "execute">) => {
        await inside.execute(sql`select pg_terminate_backend(pg_backend_pid())`);
      };
      const { drizzle, writer } = node.database;
      const endings: (() => Promise<unknown>)[] = [
        () => end(drizzle),
        () => drizzle.transaction(end),
        () => writer.transaction(end),
        () => writer.query("select pg_terminate_backend(pg_backend_pid())", []),
      ];
      for (const ending of endings) {
        await expect(answering(ending)).rejects.toBeInstanceOf(StorageUnavailable);
        await expectRecovery(node);
      }
    });

    test("a result that is cut after some of its rows: what is asked next has its own answer", async () => {
      for (const bytes of [50, 500, 5_000]) {
        await expectRecovery(wired);
        wire.loseAnswerTo("generate_series", bytes);
        const cut = answering(() => query(wired, sql`select n from generate_series(1, 10000) as n`));
        await expect(cut).rejects.toBeInstanceOf(StorageUnavailable);
        const next = Array.from({ length: 10 }, (_, n) => query(wired, sql`select ${n}::integer as n`));
        expect(await Promise.all(next)).toEqual(next.map((_, n) => [{ n }]));
      }
    });

    test("a BEGIN whose answer is lost, as often as there are connections", async () => {
      for (let connection = 0; connection < 10; connection += 1) {
        wire.loseAnswerTo("begin");
        await expect(wired.store.changes(group, 0, 1, 1)).rejects.toBeInstanceOf(StorageUnavailable);
      }
      await expectRecovery(wired);
    });

    test("an address where connections are accepted and closed", async () => {
      const port = await freePort();
      const closing = createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => closing.listen(port, "127.0.0.1", resolve));
      const opened = answering(() => openStorageNode(`postgresql://postgres@127.0.0.1:${port}/postgres`));
      await expect(opened).rejects.toBeInstanceOf(StorageUnavailable);
      await new Promise((resolve) => closing.close(resolve));
    });

    describe("connections that are open and say nothing any more", () => {
      afterEach(() => {
        vi.useRealTimers();
      });

      /** Everything asked, and stuck. Timers are the test's. */
      async function askInVain(
        of: StorageNode,
        over: Wire,
      ): Promise<{ outcomes: Promise<PromiseSettledResult<unknown>[]> }> {
        await expectRecovery(of);
        over.freeze();
        over.statements();
        vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
        const outcomes = Promise.allSettled(work(of));
        // All but the second and third on the writer, which wait for the first.
        for (let stuck = 0; stuck < 4; stuck += over.statements().length) await setImmediate();
        return { outcomes };
      }

      test("are given up after 15 s, and new ones are opened", async () => {
        const { outcomes } = await askInVain(wired, wire);
        await vi.advanceTimersByTimeAsync(15_000);
        for (const outcome of await outcomes) {
          expect(outcome).toMatchObject({ status: "rejected", reason: expect.any(StorageUnavailable) });
        }
        vi.useRealTimers();
        await expectRecovery(wired);
      });

      test("hold up the end for 5 s", async () => {
        const itsWire = await startWire(server.url);
        const another = await openStorageNode(itsWire.url);
        const { outcomes } = await askInVain(another, itsWire);
        const closed = another.database.close();
        await vi.advanceTimersByTimeAsync(5_000);
        await closed;
        // The one that waited for another one's connection.
        await vi.advanceTimersByTimeAsync(10_000);
        for (const outcome of [...(await outcomes), ...(await Promise.allSettled(work(another)))]) {
          expect(outcome).toMatchObject({ status: "rejected", reason: expect.any(StorageUnavailable) });
        }
        await itsWire.close();
      });
    });

    test("an answer that is lost: refused, though stored; sent again it is the same message", async () => {
      await expectRecovery(wired);
      const [before] = await node.store.positions([group]);
      wire.loseAnswerTo("insert into messages");
      const message = draft(alice, group, { clientId: "lost" });
      await expect(wired.store.send([message])).rejects.toBeInstanceOf(StorageUnavailable);
      const again = await node.store.send([draft(alice, group, { clientId: "lost" })]);
      expect(again).toMatchObject([{ status: "repeated", message: { id: message.id, seq: (before?.seq ?? 0) + 1 } }]);
    });

    describe("is told apart from faults", () => {
      test("of a statement", async () => {
        const poison = node.store.send([draft(alice, group, { text: "\0" })]);
        await expect(poison).rejects.not.toBeInstanceOf(StorageUnavailable);
        const wrong = query(node, sql`select nothing from nowhere`);
        await expect(wrong).rejects.toThrow();
      });

      test("of the caller", async () => {
        const judge = () => {
          throw new TypeError("a fault of ours");
        };
        const [sent] = await node.store.send([draft(alice, group)]);
        if (sent?.status !== "stored") throw new Error("not stored");
        const { id: messageId } = sent.change.message;
        const amendment = { kind: "delete", userId: alice.id, conversationId: null, messageId } as const;
        await expect(node.store.amend([amendment], judge)).rejects.toThrow(TypeError);
        // Its transaction is over: the writer goes on.
        await expectRecovery(node);
      });
    });

    test("while it is full of connections", async () => {
      await query(node, sql`alter system set max_connections = 6`);
      await server.restart();
      await expectRecoveryOfSome();
      await query(node, sql`alter system reset max_connections`);
      await server.restart();
      await expectRecovery(node);
    });

    /** Fewer connections than it would like: some answer, the others are unavailable. */
    async function expectRecoveryOfSome(): Promise<void> {
      for (;;) {
        const outcomes = await Promise.allSettled(work(node));
        for (const outcome of outcomes) {
          if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(StorageUnavailable);
        }
        if (outcomes.some(({ status }) => status === "fulfilled")) return;
      }
    }
  },
);
