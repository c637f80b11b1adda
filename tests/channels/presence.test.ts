import { expect, test } from "vitest";
import type { Communicator } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import { enterPair, enterRoom, makeGroup, openBadge, openConversationBadge, openRoom, people, say } from "./sockets.ts";

describeOnBoth("who is here", { nodes: 2 }, (stack) => {
  test("[ENTER-1] [FRAME-4] first who was here before, then the own join, which all are told", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const ofAlice = await openRoom(stack(), alice, bob);
    expect(await ofAlice.receive()).toEqual({ type: "online_user_list", users: [] });
    expect(await ofAlice.receive()).toEqual({ type: "user_join", user: alice });
    const ofBob = await openRoom(stack(), bob, alice, { node: 1 });
    expect(await ofBob.receive()).toEqual({ type: "online_user_list", users: [alice] });
    for (const socket of [ofAlice, ofBob]) expect(await socket.receive()).toEqual({ type: "user_join", user: bob });
    await ofBob.close();
    expect(await ofAlice.receive()).toEqual({ type: "user_leave", user: bob });
  });

  test("[PRESENCE-1] with several sockets on several nodes: in with the first, out with the last", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, firstOfBob] = await enterPair(stack(), alice, bob);
    const others: Communicator[] = [];
    for (const node of [0, 1, 0]) {
      const socket = await openRoom(stack(), bob, alice, { node });
      expect(await socket.receive()).toEqual({ type: "online_user_list", users: [alice, bob] });
      await socket.receiveNothing();
      others.push(socket);
    }
    await firstOfBob.close();
    const last = others.pop();
    for (const socket of others) await socket.close();
    if (last === undefined) throw new Error("no socket was opened");
    // Through the node whose last socket of bob's is gone: had it said so, this would come behind it.
    const elsewhere = await openRoom(stack(), alice, bob, { node: 1 });
    expect(await elsewhere.receive()).toEqual({ type: "online_user_list", users: [alice, bob] });
    await say(elsewhere, "still here");
    for (const socket of [ofAlice, last]) expect(await socket.receive()).toMatchObject({ message: "still here" });
    await last.close();
    expect(await ofAlice.receive()).toEqual({ type: "user_leave", user: bob });
    await enterRoom(stack(), bob, alice, { node: 1 });
    expect(await ofAlice.receive()).toEqual({ type: "user_join", user: bob });
  });

  test("[PRESENCE-2] the list and what follows it add up, however many come and go at once", async () => {
    const names = people("alice", "bob", "carol", "dave", "erin", "frank");
    const [alice] = names;
    const group = await makeGroup(stack(), ...names);
    const watchers = [await openRoom(stack(), alice, group), await openRoom(stack(), alice, group, { node: 1 })];
    const comeAndGo = names.slice(1).flatMap((name) => [
      { name, node: 0 },
      { name, node: 1 },
    ]);
    const sockets = await Promise.all(comeAndGo.map(({ name, node }) => openRoom(stack(), name, group, { node })));
    // Half of them leave while some are still coming in; those of the first two people are the last of theirs.
    const gone = sockets.filter((_, index) => index < 4 || index % 2 === 0);
    const staying = sockets.filter((socket) => !gone.includes(socket));
    await Promise.all(gone.map((socket) => socket.close()));
    const present = [alice, ...names.slice(3)].toSorted();
    for (const watcher of [...watchers, ...staying]) {
      const { users } = await watcher.receiveType("online_user_list");
      const online = new Set<string>(users);
      while ([...online].toSorted().join() !== present.join()) {
        const frame = await watcher.receive();
        if (frame.type === "user_join") {
          expect(online.has(frame.user)).toBe(false);
          online.add(frame.user);
        } else {
          expect(frame).toEqual({ type: "user_leave", user: expect.any(String) });
          expect(online.delete(frame.user)).toBe(true);
        }
      }
    }
    const later = await openRoom(stack(), alice, group);
    expect(await later.receive()).toEqual({ type: "online_user_list", users: present });
  });

  test("[PRESENCE-1] [PRESENCE-2] the first sockets of a room, all at the same moment", async () => {
    for (let round = 0; round < 10; round += 1) {
      const [alice, bob] = people("alice", "bob");
      await stack().introduce(alice, bob);
      const sockets = await Promise.all([
        openRoom(stack(), alice, bob),
        openRoom(stack(), bob, alice),
        openRoom(stack(), bob, alice),
        openRoom(stack(), alice, bob, { node: 1 }),
      ]);
      for (const socket of sockets) {
        const here: string[] = (await socket.receiveType("online_user_list")).users;
        while (here.length < 2) {
          const frame = await socket.receive();
          expect(frame.type).toBe("user_join");
          expect(here).not.toContain(frame.user);
          here.push(frame.user);
        }
        expect(here.toSorted()).toEqual([alice, bob]);
        await socket.receiveNothing();
      }
    }
  });

  test("[PRESENCE-3] who only listens for notifications is not here", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const ofAlice = await enterRoom(stack(), alice, bob);
    await openBadge(stack(), bob, { node: 1 });
    await (await openConversationBadge(stack(), bob, alice, { node: 1 })).receive();
    await enterRoom(stack(), bob, alice, { node: 1 });
    expect(await ofAlice.receive()).toEqual({ type: "user_join", user: bob });
  });
});
