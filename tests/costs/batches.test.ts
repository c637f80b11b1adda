/** What a batch costs a whole node, counted: calls of the store, statements, publishes. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { conversationGroup } from "../../server/transport/groups.ts";
import { startWire, type Wire } from "../storage/wire.ts";
import type { Communicator } from "../support/communicator.ts";
import { describeOnPostgres, describeStorage, openStorageNode, type StorageNode } from "../support/storage.ts";
import { CountedNode, type Sent } from "./counted-node.ts";
import { enterRoom, type Group, groupOf, openBadges, openChats, openRoomLists } from "./people.ts";

/** Each sender is in their room, and everybody else of the group hears of it in some way. */
interface Audience {
  readonly group: Group;
  /** The sockets of the first members. */
  readonly senders: readonly Communicator[];
  /** Of each member. */
  readonly badges: readonly Communicator[];
  readonly others: readonly Communicator[];
}

async function gather(node: CountedNode, group: Group, senders: number): Promise<Audience> {
  const { id, members } = group;
  return {
    group,
    badges: await openBadges(node, members),
    others: [...(await openChats(node, members.slice(-3))), ...(await openRoomLists(node, members.slice(-3)))],
    senders: await enterRoom(node, id, members.slice(0, senders)),
  };
}

/** So many messages, from each sender in turn. */
function messages(senders: readonly Communicator[], count: number): Sent[] {
  return Array.from({ length: count }, (_, index): Sent => {
    const socket = senders[index % senders.length];
    if (socket === undefined) throw new Error("nobody sends");
    return [socket, { type: "chat_message", message: `${index}` }];
  });
}

/** Everything that so many messages, as many from each sender, make the server say has come. */
async function hear({ group, senders, badges, others }: Audience, count: number): Promise<void> {
  for (const socket of [...senders, ...others]) await socket.receiveMany(count);
  const own = count / senders.length;
  for (const [index] of group.members.entries()) {
    const expected = index < senders.length ? count - own : count;
    const frames = (await badges[index]?.receiveMany(expected)) ?? [];
    expect(frames.at(-1)).toEqual({ type: "new_message_notification", unread_count: expected });
  }
}

describeStorage("a batch", (storage) => {
  let node: CountedNode;
  beforeAll(async () => {
    node = await CountedNode.start(storage().store, new MemoryBroker().join());
  });
  afterEach(() => node.disconnectAll());
  afterAll(() => node?.close());

  test.each([10, 100])(
    "of 50 messages by 10 senders to a group of %i, all of them listening, is one call of the store and one publish",
    async (members) => {
      const audience = await gather(node, await groupOf(storage().store, members), 10);
      const commit = await node.together(messages(audience.senders, 50));
      expect(commit).toMatchObject({ kind: "send", size: 50 });
      commit.proceed();
      await hear(audience, 50);
      expect(node.calls).toEqual(["send"]);
      expect(node.layer.published).toEqual([conversationGroup(audience.group.id)]);
    },
  );

  test("of 60 messages to groups of 2, 10 and 100 is one call and a publish for each of the groups", async () => {
    const audiences: Audience[] = [];
    for (const size of [2, 10, 100]) audiences.push(await gather(node, await groupOf(storage().store, size), 2));
    const commit = await node.together(audiences.flatMap(({ senders }) => messages(senders, 20)));
    expect(commit).toMatchObject({ kind: "send", size: 60 });
    commit.proceed();
    for (const audience of audiences) await hear(audience, 20);
    expect(node.calls).toEqual(["send"]);
    // In the order in which the sockets were read.
    const groups = audiences.map(({ group }) => conversationGroup(group.id));
    expect(node.layer.published.toSorted()).toEqual(groups.toSorted());
  });

  test("of 20 members who read is one call and one publish", async () => {
    const { id, members } = await groupOf(storage().store, 20);
    const [first, ...others] = await enterRoom(node, id, members);
    const sockets = [first as Communicator, ...others];
    first?.send({ type: "chat_message", message: "read me" });
    for (const socket of sockets) await socket.receive();
    const commit = await node.together(sockets.map((socket): Sent => [socket, { type: "read_messages" }]));
    expect(commit).toMatchObject({ kind: "amend", size: 20 });
    commit.proceed();
    for (const socket of sockets) {
      for (const frame of await socket.receiveMany(20)) expect(frame.type).toBe("messages_read");
    }
    expect(node.calls).toEqual(["amend"]);
    expect(node.layer.published).toEqual([conversationGroup(id)]);
  });
});

describeOnPostgres("a batch, between the node and PostgreSQL", (storage) => {
  let wire: Wire;
  let storageNode: StorageNode;
  let node: CountedNode;
  beforeAll(async () => {
    wire = await startWire(storage().url);
    storageNode = await openStorageNode(wire.url);
    node = await CountedNode.start(storageNode.store, new MemoryBroker().join());
  });
  afterEach(() => node.disconnectAll());
  afterAll(async () => {
    await node?.close();
    await storageNode?.database.close();
    await wire?.close();
  });

  test.each([10, 100])(
    "of 50 messages by 10 senders to a group of %i, all of them listening, is one statement",
    async (members) => {
      const audience = await gather(node, await groupOf(storage().store, members), 10);
      const commit = await node.together(messages(audience.senders, 50));
      wire.statements();
      commit.proceed();
      await hear(audience, 50);
      expect(commit.size).toBe(50);
      expect(wire.statements()).toEqual([expect.stringContaining("insert into messages")]);
    },
  );
});
