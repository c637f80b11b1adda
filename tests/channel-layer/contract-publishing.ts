import { describe, expect, test } from "vitest";
import { type Current, eventually, type Heard, hear } from "./nodes.ts";

export function describePublishing(current: Current): void {
  describe("publish", () => {
    test("reaches every other node that is subscribed, in order, and never the publisher", async () => {
      const { a, b, c } = current();
      const heard = [hear(a), hear(b), hear(c)];
      await Promise.all([a, b, c].map((node) => node.subscribe(["room"])));
      const payloads = Array.from({ length: 100 }, (_, index) => `${index}`);
      for (const payload of payloads) a.publish("room", () => payload);
      b.publish("room", () => "from b");

      const fromA = (messages: Heard["messages"]) =>
        messages.map(({ payload }) => payload).filter((payload) => payload !== "from b");
      const fromB = { group: "room", payload: "from b" };
      await eventually(() => {
        expect(heard.map(({ messages }) => messages.length)).toEqual([1, 100, 101]);
      });
      expect(heard[0]?.messages).toEqual([fromB]);
      expect(fromA(heard[1]?.messages ?? [])).toEqual(payloads);
      expect(fromA(heard[2]?.messages ?? [])).toEqual(payloads);
      expect(heard[2]?.messages).toContainEqual(fromB);
    });

    test("is heard only for the groups that a node is subscribed to at that moment", async () => {
      const { a, b } = current();
      const heard = hear(b);
      await b.subscribe(["old", "kept"]);
      b.unsubscribe(["old"]);
      a.publish("old", () => "missed");
      a.publish("never", () => "missed");
      a.publish("kept", () => "first");
      await eventually(() => expect(heard.messages).toEqual([{ group: "kept", payload: "first" }]));

      await b.subscribe(["old"]);
      a.publish("old", () => "again");
      await eventually(() => expect(heard.messages).toContainEqual({ group: "old", payload: "again" }));
      expect(heard.messages).toHaveLength(2);
    });

    test("is heard once where a node subscribed twice, and not after it unsubscribed once", async () => {
      const { a, b } = current();
      const heard = hear(b);
      await Promise.all([b.subscribe(["room", "room"]), b.subscribe(["room", "last"])]);
      await b.subscribe(["room"]);
      a.publish("room", () => "once");
      a.publish("last", () => "1");
      await eventually(() => expect(heard.messages).toContainEqual({ group: "last", payload: "1" }));
      expect(heard.messages.filter(({ group }) => group === "room")).toHaveLength(1);

      b.unsubscribe(["room"]);
      a.publish("room", () => "not heard");
      a.publish("last", () => "2");
      await eventually(() => expect(heard.messages).toContainEqual({ group: "last", payload: "2" }));
      expect(heard.messages.filter(({ group }) => group === "room")).toHaveLength(1);
    });

    test("is not heard by a node that unsubscribed while it was on its way", async () => {
      const { a, b } = current();
      const heard = hear(b);
      b.onMessage((group) => b.unsubscribe([group]));
      await b.subscribe(["room", "last"]);
      for (const payload of ["heard", "on its way", "on its way"]) a.publish("room", () => payload);
      a.publish("last", () => "heard");
      await eventually(() => expect(heard.messages.at(-1)?.group).toBe("last"));
      expect(heard.messages).toEqual([
        { group: "room", payload: "heard" },
        { group: "last", payload: "heard" },
      ]);
    });

    test("a late unsubscribe does not undo a later subscribe", async () => {
      const { a, b } = current();
      const heard = hear(b);
      await b.subscribe(["room"]);
      b.unsubscribe(["room"]);
      await b.subscribe(["room"]);
      a.publish("room", () => "heard");
      await eventually(() => expect(heard.messages).toEqual([{ group: "room", payload: "heard" }]));
    });

    test("carries any text under any name", async () => {
      const { a, b } = current();
      const texts = ["", "a\r\nb", "grüezi 👋", "\u0000", "m r+-", "x".repeat(100_000)];
      const groups = ["", "a:b", "grüezi 👋", "with space\r\n", "*", "__proto__"];
      const heard = hear(b);
      await b.subscribe(groups);
      const messages = groups.flatMap((group) => texts.map((payload) => ({ group, payload })));
      for (const { group, payload } of messages) a.publish(group, () => payload);
      await eventually(() => expect(heard.messages).toHaveLength(messages.length));
      expect(heard.messages).toEqual(messages);
    });

    test("thousands of groups are subscribed and unsubscribed at once", async () => {
      const { a, b } = current();
      const groups = Array.from({ length: 2_500 }, (_, index) => `room-${index}`);
      const heard = hear(b);
      await b.subscribe([]);
      await b.subscribe([...groups, "last"]);
      for (const group of groups) a.publish(group, () => group);
      await eventually(() => expect(heard.messages).toHaveLength(2_500));
      expect(heard.messages).toEqual(groups.map((group) => ({ group, payload: group })));

      b.unsubscribe(groups);
      for (const group of groups) a.publish(group, () => "not heard");
      a.publish("last", () => "heard");
      await eventually(() => expect(heard.messages[2_500]).toEqual({ group: "last", payload: "heard" }));
      expect(heard.messages).toHaveLength(2_501);
    });
  });
}
