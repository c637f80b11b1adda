import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Communicator } from "../../support/communicator.ts";
import { postgresUrl } from "../../support/services.ts";
import { tokenFor } from "../../support/stack.ts";
import { endPeersAfterEach, startPeer } from "./peer-process.ts";
import { postgresStorage } from "./storage.ts";

describe.skipIf(postgresUrl === undefined)("ws-insert", () => {
  let storage: Awaited<ReturnType<typeof postgresStorage>>;
  let blocker: Client;
  beforeEach(async () => {
    storage = await postgresStorage();
    blocker = new Client({ connectionString: storage.url });
    await blocker.connect();
  });
  afterEach(async () => {
    await blocker.end();
    await storage.clear();
  });
  endPeersAfterEach();

  test("a message waits for its commit, the next one in its room for it, and other rooms for neither", {
    timeout: 60_000,
  }, async () => {
    const peer = await startPeer("ws-insert", storage.settings);
    const open = async (username: string, room: string) => {
      const socket = await Communicator.connect(`${peer.sockets}/ws/${room}/`, await tokenFor(username));
      await socket.receiveType("resumed");
      return socket;
    };
    const [alice, carol] = [await open("alice", "bob"), await open("carol", "dave")];

    // The unique index makes the peer's INSERT of this number wait for the end of this transaction.
    await blocker.query("begin");
    await blocker.query(
      "insert into messages (id, room, seq, sender, text, created_at) values ($1, $2, 1, '', '', now())",
      [randomUUID(), "alice bob"],
    );
    const order: string[] = [];
    const echo = async (socket: Communicator) => order.push((await socket.receiveType("chat_message")).message);
    const echoes = [echo(alice), echo(alice)];
    for (const message of ["first", "second"]) alice.send({ type: "chat_message", message });
    await expect.poll(() => waiting(blocker)).toBe(1);
    carol.send({ type: "chat_message", message: "elsewhere" });
    await echo(carol);
    // Behind the first, the second is not even on its way to the database.
    expect(await waiting(blocker)).toBe(1);
    expect(order).toEqual(["elsewhere"]);

    await blocker.query("rollback");
    await Promise.all(echoes);
    expect(order).toEqual(["elsewhere", "first", "second"]);
    expect((await storage.messages()).map(({ room, seq, text }) => [room, seq, text])).toEqual([
      ["alice bob", 1, "first"],
      ["alice bob", 2, "second"],
      ["carol dave", 1, "elsewhere"],
    ]);
  });
});

/** Statements that wait for another transaction's end. */
async function waiting(client: Client): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return Number(rows[0]?.count);
}
