import { expect, test } from "vitest";
import type { Communicator } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import { enterPair, enterRoom, makeGroup, openConversationBadge, people, receiveSame, say } from "./sockets.ts";

const count = (unread_count: number) => ({ type: "single_conversation_unread_count", unread_count });

/** The three frames of a new message, in their order. */
async function expectNews(badge: Communicator, lastMessage: string, unread: number): Promise<void> {
  expect(await badge.receiveMany(3)).toEqual([
    { type: "single_conversation_new_message_notification" },
    { type: "single_conversation_last_message", last_message: lastMessage, last_datetime: expect.any(String) },
    count(unread),
  ]);
}

describeOnBoth("notifications of one conversation", { nodes: 2 }, (stack) => {
  test("[SINGLE-2] [SINGLE-3] the count, then three frames for each message of the other's", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    await stack().introduce(carol);
    await say(ofAlice, "before");
    await ofBob.receive();
    const badges = [
      await openConversationBadge(stack(), bob, alice),
      await openConversationBadge(stack(), bob, alice, { node: 1 }),
    ];
    expect(await receiveSame(...badges)).toEqual(count(1));
    await say(ofBob, "bob's own");
    await say(await enterRoom(stack(), carol, bob), "in another conversation");
    const said = await ofAlice.receive();
    expect(said).toMatchObject({ message: "bob's own" });
    const { date_added } = await say(ofAlice, "after");
    for (const badge of badges) {
      expect(await badge.receive()).toEqual({ type: "single_conversation_new_message_notification" });
      const last = { type: "single_conversation_last_message", last_message: "after", last_datetime: date_added };
      expect(await badge.receive()).toEqual(last);
      expect(await badge.receive()).toEqual(count(2));
    }
  });

  test("[SINGLE-1] creates nothing, and follows a conversation that is made later", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const badge = await openConversationBadge(stack(), bob, alice, { node: 1 });
    expect(await badge.receive()).toEqual(count(0));
    for (const username of [alice, bob]) {
      const { body } = await stack().request(username, "GET", "/api/conversations");
      expect(body.results).toEqual([]);
    }
    // Had opening it made the conversation, it would be listed from its first message on: as it is now.
    const ofAlice = await enterRoom(stack(), alice, bob);
    await say(ofAlice, "the first");
    await expectNews(badge, "the first", 1);
    await say(ofAlice, "the second");
    await expectNews(badge, "the second", 2);
  });

  test("[SINGLE-1] the conversation with oneself has no messages of others", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const badge = await openConversationBadge(stack(), alice, alice);
    expect(await badge.receive()).toEqual(count(0));
    await say(await enterRoom(stack(), alice, alice), "a note");
    await badge.receiveNothing();
  });

  test("[SINGLE-1] [ROOM-4] a name that leads nowhere: 4404", async () => {
    const [alice, bob, eve] = people("alice", "bob", "eve");
    const group = await makeGroup(stack(), alice, bob);
    for (const name of ["nobody-of-this-name", group, crypto.randomUUID()]) {
      const badge = await openConversationBadge(stack(), eve, name);
      expect(await badge.closed).toEqual({ code: 4404, reason: "no such room" });
      await expect(badge.receive()).rejects.toThrow("closed with 4404 before a frame came");
    }
  });

  test("[SINGLE-4] the count again when it was read elsewhere, or an unread message deleted", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const badge = await openConversationBadge(stack(), bob, alice);
    expect(await badge.receive()).toEqual(count(0));
    const { id } = await say(ofAlice, "one");
    await expectNews(badge, "one", 1);
    ofAlice.send({ type: "delete_message", id });
    expect(await badge.receive()).toEqual(count(0));
    expect((await ofAlice.receive()).type).toBe("message_deleted");
    await say(ofAlice, "two");
    await expectNews(badge, "two", 1);
    ofBob.send({ type: "read_messages" });
    expect(await badge.receive()).toEqual(count(0));
    expect((await ofBob.receiveType("messages_read")).user).toBe(bob);
    ofBob.send({ type: "read_messages" });
    await say(ofBob, "nothing left to read");
    expect((await ofAlice.receive()).type).toBe("messages_read");
    expect((await ofAlice.receive()).type).toBe("chat_message");
    await say(ofAlice, "three");
    await expectNews(badge, "three", 1);
  });

  test("[SINGLE-5] a message without text", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    const badge = await openConversationBadge(stack(), bob, alice, { node: 1 });
    await badge.receive();
    await say(ofAlice, "", { multimedia_url: "photo.jpg" });
    await expectNews(badge, "", 1);
  });

  test("[SINGLE-3] [ROOM-8] a group by its id, until one is removed: 4403", async () => {
    const [alice, bob] = people("alice", "bob");
    const group = await makeGroup(stack(), alice, bob);
    const ofAlice = await enterRoom(stack(), alice, group);
    const badge = await openConversationBadge(stack(), bob, group, { node: 1 });
    expect(await badge.receive()).toEqual(count(0));
    await say(ofAlice, "hello");
    await expectNews(badge, "hello", 1);
    await stack().request(alice, "DELETE", `/api/conversations/${group}/members/${bob}`);
    expect(await badge.closed).toEqual({ code: 4403, reason: "no longer a member" });
  });
});
