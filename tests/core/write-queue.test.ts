import { describe, expect, test } from "vitest";
import { StorageUnavailable } from "../../server/core/errors.ts";
import type { AmendOutcome } from "../../server/core/store.ts";
import { draft } from "../support/storage.ts";
import { alice, Bench, bob, type Commit, read } from "./writer-bench.ts";

describe("users are served in turn", () => {
  test("one message of each, each user's in their order, however many one of them has waiting", async () => {
    const bench = new Bench();
    bench.say("first");
    const first = await bench.next();
    for (let sent = 0; sent < 600; sent += 1) bench.say(`a${sent}`);
    for (const text of ["b0", "b1"]) bench.say(text, { sender: bob });
    first.settle(null);
    const batches = await bench.run();
    expect(batches[0]?.slice(0, 6)).toEqual(["a0", "b0", "a1", "b1", "a2", "a3"]);
    const ofAlice = batches.flat().filter((text) => text.startsWith("a"));
    expect(ofAlice).toEqual(Array.from({ length: 600 }, (_, index) => `a${index}`));
  });

  test("whose next job has to come later comes first in the next batch, and holds nobody else up", async () => {
    const bench = new Bench();
    bench.say("first");
    const first = await bench.next();
    for (const text of ["a0", "a1", "a2"]) bench.say(text, { clientId: text === "a2" ? "other" : "same" });
    for (const text of ["b0", "b1", "b2"]) bench.say(text, { sender: bob });
    first.settle(null);
    expect(await bench.run()).toEqual([
      ["a0", "b0", "b1", "b2"],
      ["a1", "a2"],
    ]);
  });

  test("a batch that is full goes on with the one whose turn it was", async () => {
    const bench = new Bench();
    bench.say("first");
    const first = await bench.next();
    const large = (name: string) => name.padEnd(100_000, ".");
    for (const text of ["a0", "a1"]) bench.say(large(text));
    for (const text of ["b0", "b1"]) bench.say(large(text), { sender: bob });
    first.settle(null);
    const texts = (await bench.run()).map((batch) => batch.map((text) => text.slice(0, 2)));
    expect(texts).toEqual([["a0"], ["b0"], ["a1"], ["b1"]]);
  });

  test("settled waits for who was handed in before, and not for who overtook them", async () => {
    const bench = new Bench();
    bench.say("first");
    const first = await bench.next();
    for (let sent = 0; sent < 300; sent += 1) bench.say(`a${sent}`);
    const settled = bench.writer.settled().then(() => bench.log.push("settled"));
    bench.say("b", { sender: bob });
    first.settle(null);
    (await bench.next()).settle(null);
    (await bench.next()).settle(null);
    await settled;
    const told = bench.log.filter((line) => line.endsWith(": stored"));
    expect(told).toContain("a299: stored");
    expect(bench.log.indexOf("b: stored")).toBeLessThan(bench.log.indexOf("a299: stored"));
  });
});

describe("reads that wait together", () => {
  const readsOf = (commit: Commit) => (commit.kind === "amend" ? commit.inputs : []);

  test("are one for each member and message: its outcome is everybody's who asked, its event is emitted once", async () => {
    const bench = new Bench();
    bench.say("first");
    const first = await bench.next();
    const asked: Promise<AmendOutcome>[] = [];
    for (let sent = 0; sent < 500; sent += 1) {
      asked.push(bench.writer.amend(read(bob.id)));
      asked.push(bench.writer.amend({ ...read(bob.id), messageId: "m" }));
      asked.push(bench.writer.amend({ ...read(bob.id), conversationId: "hall" }));
      asked.push(bench.writer.amend(read(alice.id)));
    }
    expect(bench.writer.waiting).toBe(4);
    first.settle(null);
    // Alice's comes after her own message of before, which is stored by now.
    const commit = await bench.next();
    expect(readsOf(commit)).toHaveLength(4);
    commit.settle(null);
    expect((await Promise.all(asked)).every(({ status }) => status === "read")).toBe(true);
    expect(bench.log.filter((line) => line.startsWith("messages_read"))).toHaveLength(4);
  });

  test("are not one with a read whose commit has begun, which may not see what this one has to", async () => {
    const bench = new Bench();
    const early = bench.writer.amend(read(bob.id));
    const first = await bench.next();
    const late = bench.writer.amend(read(bob.id));
    expect(bench.writer.waiting).toBe(1);
    first.settle(null);
    (await bench.next()).settle(null);
    expect([(await early).status, (await late).status]).toEqual(["read", "read"]);
  });

  test("are not one where the reader's own message comes between", async () => {
    const bench = new Bench();
    bench.say("first");
    const first = await bench.next();
    bench.writer.amend(read(alice.id));
    bench.say("2");
    bench.writer.amend(read(alice.id));
    first.settle(null);
    expect(await bench.run()).toEqual([["read"], ["2"], ["read"]]);
  });

  test("fail together", async () => {
    const bench = new Bench();
    bench.say("first");
    const first = await bench.next();
    const asked = [1, 2, 3].map(() => bench.writer.amend(read(bob.id)).catch((error: Error) => error.message));
    first.settle(null);
    const away = new StorageUnavailable(new Error("cut"));
    (await bench.next()).settle(away);
    expect(await Promise.all(asked)).toEqual(Array(3).fill(away.message));
  });
});

describe("what is bounded", () => {
  test("the bytes of a batch: texts, attachments and quotes", async () => {
    const bench = new Bench();
    bench.say("first");
    const first = await bench.next();
    const large = "é".repeat(25_000);
    bench.say("1", { attachments: [{ url: large }] });
    bench.say("2", { attachments: [{ url: large }], replyTo: "answered" });
    bench.say("3", { attachments: [large] });
    first.settle(null);
    expect(await bench.run()).toEqual([["1", "2"], ["3"]]);
  });

  test("the jobs of a user that wait; who is beyond is refused, and others are not", async () => {
    const bench = new Bench();
    bench.say("first");
    const first = await bench.next();
    for (let sent = 0; sent < 1_000; sent += 1) bench.say(`${sent}`);
    const beyond = bench.writer.send(draft(alice, "room", { text: "beyond" }));
    await expect(beyond).rejects.toMatchObject({ code: "rate_limited", retryAfter: 1_000 });
    const other = bench.say("b", { sender: bob });
    expect(bench.writer.waiting).toBe(1_001);
    first.settle(null);
    await bench.run();
    await other;
    expect(bench.writer.waiting).toBe(0);
  });

  test("their bytes", async () => {
    const bench = new Bench();
    bench.say("first");
    const first = await bench.next();
    const large = "x".repeat(1_000_000);
    for (let sent = 0; sent < 4; sent += 1) bench.say(large);
    await expect(bench.writer.send(draft(alice, "room", { text: large }))).rejects.toMatchObject({
      code: "rate_limited",
    });
    first.settle(null);
    await bench.run();
  });
});
