/** Badges over a line that is cut: the number after it is the number there is. */
import { expect, test } from "vitest";
import { connectConversationNotifications, connectNotifications } from "../../client/index.ts";
import { describeOnBoth } from "../support/stack.ts";
import { as, generous, heard, people, reached, recorded } from "./clients.ts";
import { cuttingProxy } from "./cutting-proxy.ts";

describeOnBoth("notifications over lines that are cut", { settings: generous }, (stack) => {
  test("the total is right at once when the line is back, and goes on from there", async () => {
    const [alice, bob] = people("alice", "bob");
    const proxy = await cuttingProxy(stack, { maxBytes: 0 });
    const badge = connectNotifications(as(bob, proxy.url));
    const counts = recorded(badge);
    await reached(badge, "open");
    await say(badge, alice, bob, 1);

    proxy.takeDown();
    await reached(badge, "waiting");
    for (let message = 2; message <= 4; message += 1) await post(alice, bob);
    const isBack = heard(badge, ({ type }) => type === "unread_count");
    proxy.restore();
    await isBack;
    await say(badge, alice, bob, 5);

    proxy.takeDown();
    await reached(badge, "waiting");
    await stack().request(bob, "POST", `/api/rooms/${alice}/read`, {});
    const isRead = heard(badge, ({ type }) => type === "unread_count");
    proxy.restore();
    await isRead;
    badge.close();
    expect(counts).toEqual([
      { type: "unread_count", unread_count: 0 },
      { type: "new_message_notification", unread_count: 1 },
      { type: "unread_count", unread_count: 4 },
      { type: "new_message_notification", unread_count: 5 },
      { type: "unread_count", unread_count: 0 },
    ]);
  });

  test("the count of one conversation is right at once when the line is back, and goes on from there", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const proxy = await cuttingProxy(stack, { maxBytes: 0 });
    await stack().introduce(alice, carol);
    const badge = connectConversationNotifications(alice, as(bob, proxy.url));
    await reached(badge, "open");

    proxy.takeDown();
    await reached(badge, "waiting");
    for (const from of [alice, carol, alice]) await post(from, bob);
    const isBack = heard(badge, ({ type }) => type === "single_conversation_unread_count");
    proxy.restore();
    expect(await isBack).toEqual({ type: "single_conversation_unread_count", unread_count: 2 });

    const frames = recorded(badge);
    const isCounted = heard(badge, ({ type }) => type === "single_conversation_unread_count");
    await post(alice, bob);
    await isCounted;
    badge.close();
    expect(frames).toMatchObject([
      { type: "single_conversation_new_message_notification" },
      { type: "single_conversation_last_message", last_message: "hello" },
      { type: "single_conversation_unread_count", unread_count: 3 },
    ]);
  });

  /** One message, and the badge has heard of it. */
  async function say(badge: ReturnType<typeof connectNotifications>, from: string, to: string, total: number) {
    const isHeard = heard(badge, (frame) => frame.type === "new_message_notification" && frame.unread_count === total);
    await post(from, to);
    await isHeard;
  }

  async function post(from: string, to: string): Promise<void> {
    await stack().introduce(from, to);
    const { status } = await stack().request(from, "POST", `/api/rooms/${to}/messages`, { message: "hello" });
    expect(status).toBe(201);
  }
});
