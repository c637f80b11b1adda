import { expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Frame } from "../support/communicator.ts";
import { describeOnBoth, tokenFor } from "../support/stack.ts";
import { enterPair, enterRoom, makeGroup, openBadge, people } from "./sockets.ts";

describeOnBoth(
  "limits of size",
  { nodes: 2, settings: { MAX_FRAME_BYTES: "2048", MAX_GROUP_MEMBERS: "3" } },
  (stack) => {
    test("[LIMIT-1] a frame larger than MAX_FRAME_BYTES: 1009", async () => {
      const [alice, bob] = people("alice", "bob");
      await stack().introduce(alice, bob);
      const socket = await enterRoom(stack(), alice, bob);
      const sized = (bytes: number) => {
        const empty = JSON.stringify({ type: "chat_message", message: "" });
        return JSON.stringify({ type: "chat_message", message: "a".repeat(bytes - empty.length) });
      };
      socket.send(sized(2048));
      expect(await socket.receive()).toMatchObject({ type: "chat_message", seq: 1 });
      socket.send(sized(2049));
      expect((await socket.closed).code).toBe(1009);
    });

    test("[LIMIT-7] a group has at most MAX_GROUP_MEMBERS members", async () => {
      const [alice, bob, carol, dave] = people("alice", "bob", "carol", "dave");
      await stack().introduce(alice, bob, carol, dave);
      const group = await makeGroup(stack(), alice, bob, carol);
      const added = await stack().request(alice, "POST", `/api/conversations/${group}/members`, { members: [dave] });
      expect(added).toMatchObject({ status: 400, body: { error: { code: "invalid_frame" } } });
      const made = await stack().request(alice, "POST", "/api/conversations", {
        type: "group",
        name: "too many",
        members: [bob, carol, dave],
      });
      expect(made).toMatchObject({ status: 400, body: { error: { code: "invalid_frame" } } });
    });
  },
);

// A rate of one a second: what is refused here is sent at once, in far less time than would fill the bucket again.
describeOnBoth("limits of rate", { settings: { SEND_RATE: "1", SEND_BURST: "4" } }, (stack) => {
  test("[LIMIT-2] messages, edits, pins and deletions together, beyond the burst: rate_limited", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    ofAlice.send({ type: "chat_message", message: "one", client_id: "c1" });
    const { id } = await ofAlice.receive();
    ofAlice.send({ type: "edit_message", id, message: "uno" });
    ofAlice.send({ type: "pin_message", id, pinned: true });
    ofAlice.send({ type: "delete_message", id });
    for (let sent = 0; sent < 20; sent += 1) {
      ofAlice.send({ type: "chat_message", message: "more", client_id: "c2" });
    }
    for (let sent = 0; sent < 5; sent += 1) ofAlice.send({ type: "delete_message", id });
    // Refusals of frames that came at once may come in any order.
    const refused = new Map<string, Frame>();
    while (refused.size < 2) {
      const error = await ofAlice.receiveType("error");
      refused.set(error.event, error);
    }
    expect(refused.get("chat_message")).toMatchObject({ code: "rate_limited", client_id: "c2" });
    expect(refused.get("delete_message")).toMatchObject({ code: "rate_limited" });
    for (const { retry_after } of refused.values()) expect(retry_after).toBeLessThanOrEqual(1000);
    // Another user has a rate of their own, and reading costs nothing.
    ofBob.send({ type: "chat_message", message: "bob's" });
    expect(await ofBob.receiveType("chat_message")).toMatchObject({ message: "one" });
    ofAlice.send({ type: "read_messages" });
    expect(await ofAlice.receiveType("messages_read")).toMatchObject({ user: alice });
  });
});

describeOnBoth("limits of sockets", { nodes: 2, settings: { MAX_SOCKETS_PER_USER: "2" } }, (stack) => {
  test("[LIMIT-4] one more socket than MAX_SOCKETS_PER_USER, on whatever node: 4429, and again one less", async () => {
    const [alice, bob] = people("alice", "bob");
    const first = (await openBadge(stack(), alice)).badge;
    await openBadge(stack(), alice, { node: 1 });
    for (const node of [0, 1]) {
      const third = await stack().connect(alice, "/ws/notifications/", { node });
      expect(await third.closed).toEqual({ code: 4429, reason: "too many sockets for one user" });
    }
    await openBadge(stack(), bob);
    await first.close();
    await openBadge(stack(), alice);
  });
});

describeOnBoth("limits of silence", { settings: { PING_SECONDS: "1" } }, (stack) => {
  test("[LIMIT-6] silent through two pings: cut; the others stay", async () => {
    const [alice, bob] = people("alice", "bob");
    const { badge } = await openBadge(stack(), bob);
    const silent = new WebSocket(`${stack().nodes[0]?.sockets}/ws/notifications/`, {
      autoPong: false,
      headers: { authorization: `Bearer ${await tokenFor(alice)}` },
    });
    let pings = 0;
    silent.on("ping", () => {
      pings += 1;
    });
    expect(await new Promise((resolve) => silent.on("close", resolve))).toBe(1006);
    expect(pings).toBe(2);
    await badge.receiveNothing();
  });
});
