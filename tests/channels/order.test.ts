import { expect, test } from "vitest";
import type { Frame } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import { makeGroup, openRoom, people } from "./sockets.ts";

const CHANGES = new Set(["chat_message", "message_edited", "message_deleted", "message_pinned"]);

describeOnBoth("the order of changes", { nodes: 2, settings: { SEND_BURST: "100000" } }, (stack) => {
  test("[ORDER-1] [SEQ-1] is the same for all, without a gap, while everybody changes things on two nodes", async () => {
    const names = people("alice", "bob", "carol", "dave");
    const group = await makeGroup(stack(), ...names);
    const sockets = await Promise.all(
      names.flatMap((name) => [0, 1].map((node) => openRoom(stack(), name, group, { node }))),
    );
    for (const socket of sockets) await socket.receiveType("online_user_list");
    const each = 12;
    // A message, its edit, its pin and its deletion: each but the first after the echo of the one before.
    const total = sockets.length * each * 4;
    const heard = await Promise.all(
      sockets.map(async (socket, place) => {
        for (let count = 0; count < each; count += 1) {
          socket.send({ type: "chat_message", message: "hello", client_id: `${place}.${count}` });
        }
        const changes: Frame[] = [];
        while (changes.length < total) {
          const frame = await socket.receive();
          if (!CHANGES.has(frame.type)) continue;
          changes.push(frame);
          if (frame.client_id?.startsWith(`${place}.`)) {
            socket.send({ type: "edit_message", id: frame.id, message: "changed" });
            socket.send({ type: "pin_message", id: frame.id, pinned: true });
            socket.send({ type: "delete_message", id: frame.id });
          }
        }
        return changes;
      }),
    );
    expect(heard[0]?.map(({ seq }) => seq)).toEqual(Array.from({ length: total }, (_, index) => index + 1));
    for (const changes of heard) expect(changes).toEqual(heard[0]);
  });

  test("[ORDER-3] [SEQ-2] reading takes no number: its seq is the read message's", async () => {
    const names = people("alice", "bob");
    const [alice, bob] = names;
    const group = await makeGroup(stack(), ...names);
    const ofAlice = await openRoom(stack(), alice, group);
    const ofBob = await openRoom(stack(), bob, group, { node: 1 });
    for (const socket of [ofAlice, ofBob]) await socket.receiveType("online_user_list");
    const told: unknown[] = [];
    for (const text of ["one", "two"]) {
      ofAlice.send({ type: "chat_message", message: text });
      const { id, seq } = await ofBob.receiveType("chat_message");
      ofAlice.send({ type: "pin_message", id, pinned: true });
      await ofBob.receiveType("message_pinned");
      ofBob.send({ type: "read_messages" });
      const read = await ofBob.receiveType("messages_read");
      told.push([seq, read.seq]);
    }
    expect(told).toEqual([
      [1, 1],
      [3, 3],
    ]);
  });
});
