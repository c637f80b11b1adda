/** What a message costs in a group of 1,000, and what is not said there. */
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, openPglite } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import type { Communicator, Frame } from "../support/communicator.ts";
import { Communicator as Client } from "../support/communicator.ts";
import { FaultyLayer } from "../support/faulty-layer.ts";
import { describeOnBoth, startNodeOn, type TestNode, tokenFor } from "../support/stack.ts";
import { acknowledged, ask, enterRooms, expectNext, makeGroup, openChat, people } from "./sockets.ts";

describeOnBoth("a large room", { nodes: 2, settings: { LARGE_ROOM_MEMBERS: "2" } }, (stack) => {
  test("[ROOMS-14] lists no recipients, and says neither typing nor seen", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const room_id = await makeGroup(stack(), alice, bob, carol);
    const { socket: ofAlice } = await enterRooms(stack(), alice);
    const { socket: ofBob, list } = await enterRooms(stack(), bob, { node: 1 });
    const chat = await openChat(stack(), carol, { node: 1 });
    expect(list).toMatchObject([{ _id: room_id, recipients: [] }]);
    const { _id } = await acknowledged(ofAlice, "sendMessage", { room_id, message: "one" });
    await expectNext(ofBob, "message", { _id, recipients: [] });
    await expectNext(chat, "chat:message_receive", { id: _id });
    for (const [event, data] of [
      ["typing", { room_id, message: "I am typing..." }],
      ["messageSeen", { room_id, message_id: _id }],
    ] as const) {
      const { answer, events } = await ask(ofBob, event, data);
      expect([answer.event, events]).toEqual(["ack", []]);
    }
    await acknowledged(chat, "chat:typing_start", { chatId: room_id });
    // Once one has left it is no longer large.
    await acknowledged(ofAlice, "removeMember", { room_id, user_id: carol });
    await expectNext(ofBob, "member removed", { user_id: carol });
    await acknowledged(ofBob, "typing", { room_id, message: "now" });
    await expectNext(ofAlice, "typing", { message: "now", user_id: bob });
  });
});

const MEMBERS = 1_000;

interface CountedNode {
  readonly node: TestNode;
  readonly layer: FaultyLayer;
}

describe("a group of 1,000", () => {
  let database: Database;
  const nodes: CountedNode[] = [];
  const sockets: Communicator[] = [];
  const member = (index: number) => `member-${index}`;

  beforeAll(async () => {
    database = await openPglite(null);
    const broker = new MemoryBroker();
    for (let started = 0; started < 3; started += 1) {
      const layer = new FaultyLayer(broker.join());
      const store = createStore({ ...database, close: async () => {} }, newId);
      nodes.push({ node: await startNodeOn(store, layer), layer });
    }
    const store = createStore(database, newId);
    for (let index = 0; index < MEMBERS; index += 1) {
      const id = member(index);
      await store.putUser({ id, username: id, name: id, firstName: "", lastName: "", avatar: null });
    }
  });

  afterAll(async () => {
    await Promise.all(sockets.map((socket) => socket.close()));
    for (const { node } of nodes) await node.server.close();
    await database.close();
  });

  async function connect(node: number, userId: string): Promise<Communicator> {
    const url = `${nodes[node]?.node.sockets}/rooms`;
    const socket = await Client.connect(url, await tokenFor(userId));
    sockets.push(socket);
    await acknowledged(socket, "connectRooms", {});
    return socket;
  }

  const publishes = () => nodes.reduce((sum, { layer }) => sum + layer.calls.publish, 0);

  /** Rows that were written since the transaction of that number. */
  async function rowsWrittenSince(transaction: string): Promise<number> {
    const tables = ["messages", "changes", "conversations", "members", "users"];
    const counts = tables.map((table) => `(select count(*) from ${table} where xmin::text::bigint > ${transaction})`);
    const [row] = await database.writer.query(`select (${counts.join(" + ")})::float8 as written`, []);
    return Number(row?.written);
  }

  async function currentTransaction(): Promise<string> {
    const [row] = await database.writer.query("select pg_current_xact_id()::text as id", []);
    return String(row?.id);
  }

  test("[ROOMS-15] a message writes three rows and is one command to the layer, and its event is small", async () => {
    const creator = await connect(0, member(0));
    const recipients = Array.from({ length: MEMBERS }, (_, index) => member(index));
    const { _id: room_id } = await acknowledged(creator, "createGroup", { room_name: "all", recipients });
    const others: Communicator[] = [];
    for (let index = 1; index <= 30; index += 1) others.push(await connect(index % 3, member(index)));

    const cost = async (act: () => Promise<Frame>) => {
      const before = { transaction: await currentTransaction(), publishes: publishes() };
      const data = await act();
      for (const other of others) await other.receive();
      return {
        data,
        rows: await rowsWrittenSince(before.transaction),
        publishes: publishes() - before.publishes,
      };
    };
    const sent = await cost(() => acknowledged(creator, "sendMessage", { room_id, message: "hello, all" }));
    // The message, the conversation's counters, and the sender's own.
    expect([sent.rows, sent.publishes]).toEqual([3, 1]);
    expect(sent.data).toMatchObject({ message: "hello, all", recipients: [], seq: 1 });
    expect(JSON.stringify({ event: "message", data: sent.data }).length).toBeLessThan(500);
    const { _id: message_id } = sent.data;
    const edited = await cost(() => acknowledged(creator, "editMessage", { room_id, message_id, message: "hello" }));
    expect([edited.rows, edited.publishes]).toEqual([3, 1]);

    const before = { transaction: await currentTransaction(), publishes: publishes() };
    await acknowledged(others[0] as Communicator, "messageSeen", { room_id, message_id });
    expect(await rowsWrittenSince(before.transaction)).toBeLessThanOrEqual(2);
    expect(publishes() - before.publishes).toBe(1);
  });
});
