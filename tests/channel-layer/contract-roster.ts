import { describe, expect, test } from "vitest";
import { announced, type Current, eventually, hear, unannounced } from "./nodes.ts";

export function describeRoster(current: Current): void {
  describe("roster", () => {
    test("a join tells who was there before, and whether the member is new", async () => {
      const { a, b, c } = current();
      const first = await a.roster.join("room", "alice", announced);
      expect(first).toEqual({
        before: { members: [], total: 0, version: expect.any(Number), wholeIn: 0 },
        isNew: true,
      });
      const repeated = await a.roster.join("room", "alice", announced);
      expect(repeated.isNew).toBe(false);
      const elsewhere = await b.roster.join("room", "alice", announced);
      expect(elsewhere).toEqual({ before: { ...repeated.before, members: ["alice"], total: 1 }, isNew: false });
      const second = await b.roster.join("room", "bob", announced);
      expect(second.before.members).toEqual(["alice"]);
      const third = await c.roster.join("room", "carol", announced);
      expect(third.before.members.toSorted()).toEqual(["alice", "bob"]);
      expect(third.before.total).toBe(2);
    });

    test("a member is there until the last node takes its word back; each coming and going is heard once", async () => {
      const { a, b, c } = current();
      const heard = [hear(a), hear(b), hear(c)];
      await Promise.all([a, b].map((node) => node.subscribe(["room"])));
      const { before } = await a.roster.join("room", "alice", announced);
      await a.roster.join("room", "alice", announced);
      await b.roster.join("room", "alice", announced);
      a.roster.leave("room", "alice", announced);
      expect(await a.roster.has("room", "alice")).toBe(true);
      a.roster.leave("room", "alice", announced);
      expect(await a.roster.has("room", "alice")).toBe(true);
      b.roster.leave("room", "alice", announced);
      expect(await b.roster.has("room", "alice")).toBe(false);
      await c.roster.join("room", "bob", announced);

      const changes = [
        { group: "room", member: "alice", present: true, version: before.version + 1 },
        { group: "room", member: "alice", present: false, version: before.version + 2 },
        { group: "room", member: "bob", present: true, version: before.version + 3 },
      ];
      await eventually(() => {
        expect(heard.map((node) => node.changes)).toEqual([changes, changes, []]);
      });
      expect(await c.roster.list("room", 10)).toEqual({
        members: ["bob"],
        total: 1,
        version: before.version + 3,
        wholeIn: 0,
      });
    });

    test("changes come in the order of versions, whoever makes them", async () => {
      const { a, b, c } = current();
      const heard = hear(c);
      await c.subscribe(["room"]);
      const { version } = await c.roster.list("room", 0);
      const joins = Array.from({ length: 50 }, (_, index) =>
        [a, b].map((node, side) => node.roster.join("room", `${index}-${side}`, { ...announced, listed: 0 })),
      );
      await Promise.all(joins.flat());
      await eventually(() => expect(heard.changes).toHaveLength(100));
      expect(heard.changes.map((change) => change.version - version)).toEqual(
        Array.from({ length: 100 }, (_, index) => index + 1),
      );
    });

    test("what is not announced changes no version and is not heard", async () => {
      const { a, b } = current();
      const heard = hear(b);
      await b.subscribe(["room"]);
      const { before } = await a.roster.join("room", "alice", unannounced);
      await a.roster.join("room", "bob", unannounced);
      a.roster.leave("room", "bob", unannounced);
      expect(await a.roster.list("room", 10)).toEqual({
        members: ["alice"],
        total: 1,
        version: before.version,
        wholeIn: 0,
      });
      await a.roster.join("room", "carol", announced);
      await eventually(() => expect(heard.changes).toHaveLength(1));
      expect(heard.changes).toEqual([{ group: "room", member: "carol", present: true, version: before.version + 1 }]);
    });

    test("a list holds no more than was asked for, and the total always", async () => {
      const { a, b } = current();
      const members = Array.from({ length: 300 }, (_, index) => `member-${index}`);
      await Promise.all(members.map((member) => a.roster.join("room", member, { ...unannounced, listed: 0 })));
      const some = await b.roster.list("room", 100);
      expect(some.total).toBe(300);
      expect(new Set(some.members).size).toBe(100);
      expect(members).toEqual(expect.arrayContaining([...some.members]));
      expect((await b.roster.list("room", 0)).members).toEqual([]);
      expect((await b.roster.list("room", 300)).members.toSorted()).toEqual(members.toSorted());
      const joined = await b.roster.join("room", "one more", { ...unannounced, listed: 7 });
      expect(joined.before.members).toHaveLength(7);
      expect(joined.before.total).toBe(300);
    });

    test("groups and members do not mix, whatever they are called", async () => {
      const { a, b } = current();
      const words = [
        ["ab", "c"],
        ["a", "bc"],
        ["a:b", "c"],
        ["a", "b:c"],
        ["grüezi", "👋+-"],
        ["", "session"],
        ["session", ""],
        ["__proto__", "constructor"],
      ] as const;
      const heard = hear(b);
      await b.subscribe(words.map(([group]) => group));
      for (const [group, member] of words) await a.roster.join(group, member, announced);
      for (const [group, member] of words) {
        const { members } = await b.roster.list(group, 10);
        expect(members.toSorted()).toEqual(
          words
            .filter((word) => word[0] === group)
            .map((word) => word[1])
            .toSorted(),
        );
        expect(await b.roster.has(group, member)).toBe(true);
      }
      expect(await b.roster.has("ab", "bc")).toBe(false);
      await a.close();
      for (const [group] of words) expect((await b.roster.list(group, 10)).total).toBe(0);
      await eventually(() => expect(heard.changes).toHaveLength(2 * words.length));
      const came = heard.changes.slice(0, words.length).map(({ group, member }) => [group, member]);
      expect(came).toEqual(words);
    });

    test("joins and leaves of a node take effect in the order of the calls", async () => {
      const { a, b } = current();
      const heard = hear(b);
      await b.subscribe(["room"]);
      const joins = Array.from({ length: 50 }, () => {
        const joined = a.roster.join("room", "alice", announced);
        a.roster.leave("room", "alice", announced);
        return joined;
      });
      const last = await a.roster.join("room", "alice", announced);
      const replies = [...(await Promise.all(joins)), last];
      expect(replies.every(({ isNew, before }) => isNew && before.total === 0)).toBe(true);
      expect(await b.roster.has("room", "alice")).toBe(true);
      await eventually(() => expect(heard.changes).toHaveLength(101));
      expect(heard.changes.map(({ present }) => present)).toEqual(
        Array.from({ length: 101 }, (_, index) => index % 2 === 0),
      );
    });

    test("leaving where one is not changes nothing", async () => {
      const { a, b } = current();
      await a.roster.join("room", "alice", announced);
      const { version } = await a.roster.list("room", 0);
      b.roster.leave("room", "alice", announced);
      a.roster.leave("room", "bob", announced);
      a.roster.leave("nowhere", "alice", announced);
      await b.ping();
      expect(await a.roster.list("room", 10)).toEqual({ members: ["alice"], total: 1, version, wholeIn: 0 });
    });

    test("the versions of many groups, in the order in which they were asked for", async () => {
      const { a, b } = current();
      const groups = Array.from({ length: 2_500 }, (_, index) => `room-${index}`);
      const joins = await Promise.all(
        groups.map((group) => a.roster.join(group, "alice", { ...announced, listed: 0 })),
      );
      const joined = joins.map(({ before }) => before.version + 1);
      expect(await b.roster.versions(groups)).toEqual(joined);
      a.roster.leave("room-1700", "alice", announced);
      await a.roster.join("room-3", "bob", announced);
      const expected = joined.map((version, index) => (index === 3 || index === 1_700 ? version + 1 : version));
      expect(await b.roster.versions(groups)).toEqual(expected);
      const [third] = await b.roster.versions(["room-3"]);
      expect(third).toBe((await b.roster.list("room-3", 0)).version);
      expect(await b.roster.versions([])).toEqual([]);
    });

    test("the version does not go back when a group empties", async () => {
      const { a, b } = current();
      await a.roster.join("room", "alice", announced);
      a.roster.leave("room", "alice", announced);
      const emptied = await a.roster.list("room", 10);
      expect(emptied).toEqual({ members: [], total: 0, version: expect.any(Number), wholeIn: 0 });
      const { before } = await b.roster.join("room", "bob", announced);
      expect(before).toEqual(emptied);
    });
  });
}
