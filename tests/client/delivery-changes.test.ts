/** Edits, deletions, pins and read marks that are asked for while there is no line, or over lines that are cut. */
import { expect, test } from "vitest";
import { connectRoom, createApi } from "../../client/index.ts";
import { describeOnBoth } from "../support/stack.ts";
import { as, generous, heard, history, numbered, people, reached, recorded, urlOf } from "./clients.ts";
import { cuttingProxy, seed } from "./cutting-proxy.ts";

describeOnBoth("changes over lines that are cut", { settings: generous }, (stack) => {
  test("what is asked for without a line is done once, in order, when there is one, and acknowledged", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const proxy = await cuttingProxy(stack, { maxBytes: 0 });
    const atBob = connectRoom(alice, { ...as(bob, urlOf(stack())), since: 0 });
    const room = connectRoom(bob, as(alice, proxy.url));
    const [edited, deleted, pinned] = await Promise.all(["a", "b", "c"].map((text) => room.send(text)));
    const { id: read } = await atBob.send("d");
    if (edited === undefined || deleted === undefined || pinned === undefined) throw new Error("three were sent");
    if (room.seq !== 4) await heard(room, (frame) => "seq" in frame && frame.seq === 4);
    const changes = recorded(atBob);

    proxy.takeDown();
    await reached(room, "waiting");
    const asked = [
      room.edit(edited.id, "a, edited"),
      room.delete(deleted.id),
      room.pin(pinned.id, true),
      room.read(read),
      room.send("e"),
    ];
    expect(room.pending.map(({ type }) => type)).toEqual([
      "edit_message",
      "delete_message",
      "pin_message",
      "read_messages",
      "chat_message",
    ]);
    const isLastHeard = heard(atBob, (frame) => frame.type === "chat_message");
    proxy.restore();
    await Promise.all(asked);
    await isLastHeard;
    expect(room.pending).toEqual([]);
    room.close();
    atBob.close();

    expect(changes.filter((frame) => !frame.type.startsWith("user_"))).toMatchObject([
      { type: "message_edited", seq: 5, id: edited.id, message: "a, edited" },
      { type: "message_deleted", seq: 6, id: deleted.id },
      { type: "message_pinned", seq: 7, id: pinned.id, pinned: true },
      { type: "messages_read", user: alice, id: read },
      { type: "chat_message", seq: 8, message: "e" },
    ]);
    const stored = await history(alice, urlOf(stack()), bob);
    expect(stored.map(({ content, deleted, pinned }) => ({ content, deleted, pinned }))).toEqual([
      { content: "a, edited", deleted: false, pinned: false },
      { content: "", deleted: true, pinned: false },
      { content: "c", deleted: false, pinned: true },
      { content: "d", deleted: false, pinned: false },
      { content: "e", deleted: false, pinned: false },
    ]);
    const { results } = await createApi(as(alice, urlOf(stack()))).conversations();
    expect(results).toMatchObject([{ unread_count: 0, seq: 8 }]);
  });

  test(`each of many is done once and in order, however often the line is cut (DELIVERY_SEED=${seed})`, {
    timeout: 240_000,
  }, async () => {
    const CHANGES = 50;
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    // A change that arrives late, behind others that were asked for after it, undoes them: that is not promised.
    const proxy = await cuttingProxy(stack, { maxBytes: 3_000, holdsBack: false });
    const room = connectRoom(bob, as(alice, proxy.url));
    const { id } = await room.send("first");
    const texts = numbered("edit", CHANGES);
    await Promise.all(texts.flatMap((text, index) => [room.edit(id, text), room.pin(id, index % 2 === 0)]));
    room.close();

    expect(proxy.cuts).toBeGreaterThan(10);
    const [message] = await history(alice, urlOf(stack()), bob);
    expect(message).toMatchObject({ content: texts.at(-1), pinned: false });
    const { results } = await createApi(as(alice, urlOf(stack()))).conversations();
    // Each took its one number: none was done twice, none in another's place.
    expect(results).toMatchObject([{ seq: 1 + 2 * CHANGES }]);
  });
});
