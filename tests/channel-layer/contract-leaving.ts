import { describe, expect, test } from "vitest";
import { LayerUnavailable } from "../../server/channel-layer/layer.ts";
import { announced, type Current, eventually, hear, unannounced } from "./nodes.ts";

export function describeLeaving(current: Current): void {
  describe("a node that goes", () => {
    test("by closing: its members leave, announced where they had been, and those of others stay", async () => {
      const { a, b } = current();
      const heard = hear(b);
      await b.subscribe(["room", "hall"]);
      await a.roster.join("room", "alice", announced);
      await a.roster.join("room", "bob", announced);
      await b.roster.join("room", "bob", announced);
      await a.roster.join("hall", "alice", unannounced);
      await a.close();
      await a.close();

      expect((await b.roster.list("room", 10)).members).toEqual(["bob"]);
      expect((await b.roster.list("hall", 10)).total).toBe(0);
      await eventually(() => expect(heard.changes).toHaveLength(3));
      expect(heard.changes[2]).toMatchObject({ group: "room", member: "alice", present: false });
    });

    test("by closing: thousands of members leave, each heard in turn", async () => {
      const { a, b } = current();
      const members = Array.from({ length: 2_000 }, (_, index) => `member-${index}`);
      await Promise.all(members.map((member) => a.roster.join("room", member, { announced: true, listed: 0 })));
      const { version } = await b.roster.list("room", 0);
      const heard = hear(b);
      await b.subscribe(["room"]);
      await a.close();
      await eventually(() => expect(heard.changes).toHaveLength(2_000));
      expect(heard.changes.map((change) => change.version - version)).toEqual(members.map((_, index) => index + 1));
      expect(heard.changes.map(({ member }) => member).toSorted()).toEqual(members.toSorted());
      expect((await b.roster.list("room", 10)).total).toBe(0);
    });

    test("by closing: what it published before still goes out, and it hears nothing any more", async () => {
      const { a, b, c } = current();
      const [heardByA, heardByB] = [hear(a), hear(b)];
      await Promise.all([a.subscribe(["room"]), b.subscribe(["room"])]);
      a.publish("room", () => "goodbye");
      await a.close();
      await eventually(() => expect(heardByB.messages).toEqual([{ group: "room", payload: "goodbye" }]));
      c.publish("room", () => "too late");
      await eventually(() => expect(heardByB.messages).toHaveLength(2));
      expect(heardByA.messages).toEqual([]);
    });

    test("by closing: afterwards it is unavailable, and nothing throws", async () => {
      const { a } = current();
      const failed: string[] = [];
      a.onPublishFailed((group) => failed.push(group));
      await a.close();
      await expect(a.ping()).rejects.toThrow(LayerUnavailable);
      await expect(a.subscribe(["room"])).rejects.toThrow(LayerUnavailable);
      await expect(a.roster.join("room", "alice", announced)).rejects.toThrow(LayerUnavailable);
      await expect(a.roster.list("room", 10)).rejects.toThrow(LayerUnavailable);
      await expect(a.roster.versions(["room"])).rejects.toThrow(LayerUnavailable);
      await expect(a.roster.has("room", "alice")).rejects.toThrow(LayerUnavailable);
      a.unsubscribe(["room"]);
      a.roster.leave("room", "alice", announced);
      a.publish("room", () => "lost");
      await eventually(() => expect(failed).toEqual(["room"]));
    });

    test("by dying: the others hear its members leave", async () => {
      const { a, b, c, nodes } = current();
      const heard = hear(b);
      await b.subscribe(["room"]);
      await a.roster.join("room", "alice", announced);
      await a.roster.join("room", "bob", announced);
      const crowd = Array.from({ length: 1_000 }, (_, index) => `member-${index}`);
      await Promise.all(crowd.map((member) => a.roster.join("hall", member, { announced: false, listed: 0 })));
      const { before } = await c.roster.join("room", "bob", announced);
      nodes.kill(a);

      const left = { group: "room", member: "alice", present: false, version: before.version + 1 };
      await eventually(() => expect(heard.changes.at(-1)).toEqual(left));
      expect((await b.roster.list("room", 10)).members).toEqual(["bob"]);
      await eventually(async () => expect((await b.roster.list("hall", 10)).total).toBe(0));
    });
  });
}
