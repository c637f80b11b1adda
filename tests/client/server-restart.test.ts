/** A server that goes and comes back. */
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { connectNotifications, connectRoom } from "../../client/index.ts";
import { describeOnBoth, type TestNode } from "../support/stack.ts";
import { as, generous, heard, history, numbered, people, reached, recorded, urlOf } from "./clients.ts";
import { CuttingProxy } from "./cutting-proxy.ts";

const MESSAGES = 120;
const RESTARTS = 3;

// The node of the stack is another one on the same storage, which stays up.
describeOnBoth("a server that is restarted", { settings: generous }, (stack) => {
  let home: TestNode;
  beforeEach(async () => {
    home = await stack().startNode(generous);
  });

  test("clients come back by themselves, and nothing that they sent is lost, doubled or out of order", {
    timeout: 120_000,
  }, async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const url = await address();
    const sender = connectRoom(bob, as(alice, url));
    const listener = connectRoom(alice, { ...as(bob, url), since: 0 });
    const told: string[] = [];
    listener.on("chat_message", ({ message }) => {
      told.push(message);
    });
    const reasons: number[] = [];
    sender.onState((state) => {
      if (state.name === "waiting") reasons.push(state.why.code);
    });

    const texts = numbered(alice, MESSAGES);
    const last = heard(listener, (frame) => frame.type === "chat_message" && frame.message === texts.at(-1));
    const sending = texts.map((text) => sender.send(text));
    for (let restart = 1; restart <= RESTARTS; restart += 1) {
      // In the midst of it.
      await sending[(restart * MESSAGES) / (RESTARTS + 1)];
      await home.server.close();
      home = await stack().startNode(generous);
    }
    const sent = await Promise.all(sending);
    await last;
    sender.close();
    listener.close();

    expect(sent.map(({ message }) => message)).toEqual(texts);
    expect((await history(alice, urlOf(stack()), bob)).map(({ content }) => content)).toEqual(texts);
    expect(told).toEqual(texts);
    expect(reasons.filter((code) => code === 1012)).toHaveLength(RESTARTS);
  });

  test("who only listens comes back too, and is told what happened meanwhile", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const url = await address();
    const room = connectRoom(alice, as(bob, url));
    const badge = connectNotifications(as(bob, url));
    await Promise.all([reached(room, "open"), reached(badge, "open")]);
    const frames = recorded(room);
    const counts = recorded(badge);

    const isBack = heard(room, ({ type }) => type === "resumed");
    const isCounted = heard(badge, ({ type }) => type === "unread_count");
    await home.server.close();
    await stack().request(alice, "POST", `/api/rooms/${bob}/messages`, { message: "meanwhile" });
    home = await stack().startNode(generous);
    await Promise.all([isBack, isCounted]);
    room.close();
    badge.close();

    expect(frames.filter(({ type }) => type === "chat_message")).toMatchObject([{ message: "meanwhile" }]);
    expect(counts).toContainEqual({ type: "unread_count", unread_count: 1 });
    expect(counts.at(-1)).toEqual({ type: "unread_count", unread_count: 1 });
  });

  /** One that stays the same over restarts. */
  async function address(): Promise<string> {
    const proxy = await CuttingProxy.start({ target: () => new URL(home.http), random: () => 0, maxBytes: 0 });
    onTestFinished(() => proxy.close());
    return proxy.url;
  }
});
