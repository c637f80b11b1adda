/** A line that is open at both ends and carries nothing any more, as a phone leaves behind that changes its network. */
import { expect, test } from "vitest";
import { connectRoom } from "../../client/index.ts";
import { describeOnBoth } from "../support/stack.ts";
import { as, generous, heard, history, numbered, people, reached, urlOf } from "./clients.ts";
import { cuttingProxy } from "./cutting-proxy.ts";

/** In ms: what a loaded machine needs for an answer, and less than what a person would wait for. */
const heartbeat = { patience: 2_000, quiet: 3_000 };

describeOnBoth("a line that is half open", { settings: generous }, (stack) => {
  test("is given up by who waits for an answer and by who only listens, and nothing is lost, doubled or out of order", {
    timeout: 120_000,
  }, async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const proxy = await cuttingProxy(stack, { maxBytes: 0 });
    const sender = connectRoom(bob, { ...as(alice, proxy.url), heartbeat });
    const listener = connectRoom(alice, { ...as(bob, proxy.url), heartbeat, since: 0 });
    await Promise.all([reached(sender, "open"), reached(listener, "open")]);
    const told: string[] = [];
    listener.on("chat_message", ({ message }) => {
      told.push(message);
    });
    const givenUp = [sender, listener].map(
      (room) =>
        new Promise((resolve) => {
          room.onState((state) => {
            if (state.name === "waiting") resolve(state.why);
          });
        }),
    );

    const texts = numbered("text", 100);
    const isLast = heard(listener, (frame) => frame.type === "chat_message" && frame.message === texts.at(-1));
    const sending = texts.map((text) => sender.send(text));
    await sending[50];
    proxy.freeze();
    await Promise.all([...sending, isLast]);
    sender.close();
    listener.close();

    expect(await Promise.all(givenUp)).toEqual([
      { code: 1006, reason: "no answer" },
      { code: 1006, reason: "no answer" },
    ]);
    expect(told).toEqual(texts);
    expect((await history(alice, urlOf(stack()), bob)).map(({ content }) => content)).toEqual(texts);
  });
});
