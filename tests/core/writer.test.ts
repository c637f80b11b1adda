import { describe, expect, test } from "vitest";
import { StorageUnavailable } from "../../server/core/errors.ts";
import type { ConversationEvent } from "../../server/core/events.ts";
import type { NewMessage } from "../../server/core/store.ts";
import { alice, Bench, bob, read, textsOf } from "./writer-bench.ts";

describe("batches", () => {
  test("a message leaves at once; what arrives during its commit goes together into the next", async () => {
    const bench = new Bench();
    bench.say("1");
    const first = await bench.next();
    expect(textsOf(first)).toEqual(["1"]);
    for (const text of ["2", "3", "4"]) bench.say(text);
    first.settle(null);
    expect(await bench.run()).toEqual([["2", "3", "4"]]);
  });

  test("what is handed in in one tick goes together", async () => {
    const bench = new Bench();
    for (const text of ["1", "2", "3"]) bench.say(text);
    expect(await bench.run()).toEqual([["1", "2", "3"]]);
  });

  test("have at most 256", async () => {
    const bench = new Bench();
    for (let sent = 0; sent < 600; sent += 1) bench.say(`${sent}`);
    expect((await bench.run()).map((batch) => batch.length)).toEqual([256, 256, 88]);
  });

  test("amendments before messages", async () => {
    const bench = new Bench();
    bench.say("1");
    bench.writer.amend(read(bob.id));
    bench.say("2");
    expect(await bench.run()).toEqual([["read"], ["1", "2"]]);
  });

  describe("end before what must find an earlier one stored", () => {
    test.each<[string, Partial<NewMessage>, Partial<NewMessage>, string[][]]>([
      ["the same client id", { clientId: "c" }, { clientId: "c" }, [["1"], ["2"]]],
      ["another client id", { clientId: "c" }, { clientId: "d" }, [["1", "2"]]],
      ["another sender's client id", { clientId: "c" }, { clientId: "c", sender: bob }, [["1", "2"]]],
      ["the client id elsewhere", { clientId: "c" }, { clientId: "c", conversationId: "hall" }, [["1", "2"]]],
      ["the same chosen id", { id: "x" }, { id: "x", sender: bob, conversationId: "hall" }, [["1"], ["2"]]],
      ["an answer to a chosen id", { id: "x" }, { replyTo: "x" }, [["1"], ["2"]]],
      ["an answer to what was there", { id: "x" }, { replyTo: "y" }, [["1", "2"]]],
    ])("%s", async (_, first, second, batches) => {
      const bench = new Bench();
      bench.say("1", first);
      bench.say("2", second);
      expect(await bench.run()).toEqual(batches);
    });

    test("a user's amendment after their own message, but nobody else's", async () => {
      const bench = new Bench();
      bench.say("1");
      bench.writer.amend(read(bob.id));
      bench.writer.amend(read(alice.id));
      bench.say("2");
      expect(await bench.run()).toEqual([["read"], ["1"], ["read"], ["2"]]);
    });
  });
});

test("events are in the order of numbers, and emitted before anyone is told", async () => {
  const bench = new Bench();
  for (const text of ["1", "2"]) bench.say(text);
  const first = await bench.next();
  bench.say("3");
  first.settle(null);
  await bench.run();
  expect(bench.log).toEqual([
    ...["message_created 1", "message_created 2", "1: stored", "2: stored", "message_created 3", "3: stored"],
  ]);
});

test("a read mark is announced to who can see it: not in a large room", async () => {
  const bench = new Bench();
  const events: ConversationEvent[] = [];
  bench.emit = (emitted) => void events.push(...emitted);
  bench.writer.amend(read(bob.id));
  bench.writer.amend({ ...read(bob.id), messageId: "m" });
  await bench.run();
  const user = { id: bob.id, username: bob.username };
  const event = { type: "messages_read", conversationId: "room", messageId: "m", seq: 7, readAt: "", user };
  const counts = { unread: 0, asOf: 9, reads: 1 };
  expect(events).toEqual([
    { ...event, ...counts, announced: true },
    { ...event, ...counts, announced: false },
  ]);
});

describe("failures", () => {
  test("one that the database does not take goes alone", async () => {
    const bench = new Bench();
    const told = ["1", "poison", "2"].map((text) => bench.say(text));
    const all = await bench.next();
    expect(textsOf(all)).toEqual(["1", "poison", "2"]);
    all.settle(new Error("not taken"));
    for (const text of ["1", "poison", "2"]) {
      const one = await bench.next();
      expect(textsOf(one)).toEqual([text]);
      one.settle(text === "poison" ? new Error("not taken") : null);
    }
    await Promise.all(told);
    expect(bench.log).toEqual([
      ...["message_created 1", "1: stored", "doubt room", "poison: not taken", "message_created 2", "2: stored"],
    ]);
  });

  test("storage that is away refuses all of the batch, once, and casts doubt on its conversations", async () => {
    const bench = new Bench();
    const told = [bench.say("1"), bench.say("2", { conversationId: "hall" }), bench.say("3")];
    const commit = await bench.next();
    const away = new StorageUnavailable(new Error("cut"));
    commit.settle(away);
    await Promise.all(told);
    expect(bench.log).toEqual(["doubt room,hall", ...["1", "2", "3"].map((text) => `${text}: ${away.message}`)]);
    // And the next is tried afresh.
    bench.say("4");
    expect(await bench.run()).toEqual([["4"]]);
  });
});

describe("settled", () => {
  test("at once with nothing handed in, else when all that was is committed or refused, and told", async () => {
    const bench = new Bench();
    await bench.writer.settled();
    bench.say("1");
    const first = await bench.next();
    bench.say("2");
    const settled = bench.writer.settled().then(() => bench.log.push("settled"));
    first.settle(null);
    const second = await bench.next();
    second.settle(new StorageUnavailable(new Error("cut")));
    await settled;
    expect(bench.log.at(-1)).toBe("settled");
    expect(bench.log).toHaveLength(5);
  });

  test("without waiting for what is handed in later", async () => {
    const bench = new Bench();
    bench.say("1");
    const first = await bench.next();
    const settled = bench.writer.settled();
    bench.say("2");
    first.settle(null);
    // The second commit is begun, and never answered.
    await bench.next();
    await settled;
    expect(bench.log).toContain("1: stored");
  });
});
