import { expect, test } from "vitest";
import { describeOnBoth } from "../support/stack.ts";

describeOnBoth("one frame from socket to database to another node", { nodes: 2 }, (stack) => {
  test("and back", async () => {
    const bobsBadge = await stack().connect("bob", "/ws/notifications/", { node: 1 });
    expect(await bobsBadge.receive()).toEqual({ type: "unread_count", unread_count: 0 });
    const alice = await stack().connect("alice", "/ws/bob/", { node: 0 });
    expect(await alice.receive()).toEqual({ type: "online_user_list", users: [] });
    expect(await alice.receive()).toEqual({ type: "user_join", user: "alice" });
    const bob = await stack().connect("bob", "/ws/alice/", { node: 1 });
    expect(await bob.receive()).toEqual({ type: "online_user_list", users: ["alice"] });
    expect(await bob.receive()).toEqual({ type: "user_join", user: "bob" });
    expect(await alice.receive()).toEqual({ type: "user_join", user: "bob" });
    alice.send({ type: "chat_message", message: "hello" });
    expect(await alice.receive()).toMatchObject({ type: "chat_message", message: "hello", room: "bob", seq: 1 });
    expect(await bob.receive()).toMatchObject({ type: "chat_message", message: "hello", room: "alice", seq: 1 });
    expect(await bobsBadge.receive()).toEqual({ type: "new_message_notification", unread_count: 1 });
    bob.send({ type: "read_messages" });
    expect(await alice.receive()).toMatchObject({ type: "messages_read", user: "bob", seq: 1 });
    expect(await bobsBadge.receive()).toEqual({ type: "unread_count", unread_count: 0 });
    await bob.close();
    expect(await alice.receive()).toEqual({ type: "user_leave", user: "bob" });
  });
});
