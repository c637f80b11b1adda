import { expect, test } from "vitest";
import type { Communicator, Frame } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import { enterPair, makeGroup, openRoom, people, say } from "./sockets.ts";

const LIMIT = 5;

/** The frames between the list and `resumed` or `resume_failed`, and that one. */
async function replayOf(socket: Communicator): Promise<{ frames: Frame[]; end: Frame }> {
  expect((await socket.receive()).type).toBe("online_user_list");
  const frames: Frame[] = [];
  for (;;) {
    const frame = await socket.receive();
    if (frame.type === "resumed" || frame.type === "resume_failed") return { frames, end: frame };
    frames.push(frame);
  }
}

describeOnBoth("coming back", { nodes: 2, settings: { RESUME_LIMIT: `${LIMIT}` } }, (stack) => {
  /** Changes the conversation and passes over what comes of it. */
  async function change(socket: Communicator, frame: object): Promise<Frame> {
    socket.send(frame);
    return socket.receive();
  }

  test("[RESUME-1] [RESUME-3] [ENTER-1] the list, what was missed, the present seq, then the join", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    await say(ofAlice, "seen", { client_id: "c1" });
    await ofBob.close();
    expect((await ofAlice.receive()).type).toBe("user_leave");
    const missed = [
      await say(ofAlice, "two", { client_id: "c2", multimedia_url: "photo.jpg" }),
      await say(ofAlice, "3"),
    ];
    const back = await openRoom(stack(), bob, alice, { node: 1, since: 1 });
    expect(await back.receiveMany(5)).toEqual([
      { type: "online_user_list", users: [alice] },
      ...missed.map((frame) => ({ ...frame, room: alice })),
      { type: "resumed", seq: 3 },
      { type: "user_join", user: bob },
    ]);
    expect(await ofAlice.receive()).toEqual({ type: "user_join", user: bob });
    await say(ofAlice, "live");
    expect(await back.receive()).toMatchObject({ type: "chat_message", message: "live", seq: 4 });
  });

  test("[RESUME-3] nothing missed", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    const empty = await replayOf(await openRoom(stack(), alice, bob, { since: 0 }));
    expect(empty).toEqual({ frames: [], end: { type: "resumed", seq: 0 } });
    await say(ofAlice, "one");
    const nothing = await replayOf(await openRoom(stack(), bob, alice, { since: 1, node: 1 }));
    expect(nothing).toEqual({ frames: [], end: { type: "resumed", seq: 1 } });
  });

  test("[RESUME-1] [RESUME-2] each changed message once, in its newest state, by its last change", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    const old: string[] = [];
    for (const text of ["to edit", "to pin", "to edit and pin", "to delete", "left alone"]) {
      old.push((await say(ofAlice, text)).id);
    }
    const [toEdit, toPin, both, toDelete] = old;
    await change(ofAlice, { type: "pin_message", id: both, pinned: true });
    await change(ofAlice, { type: "edit_message", id: toEdit, message: "edited" });
    await change(ofAlice, { type: "edit_message", id: toEdit, message: "edited twice" });
    await change(ofAlice, { type: "delete_message", id: toDelete });
    await change(ofAlice, { type: "edit_message", id: both, message: "edited and pinned" });
    await change(ofAlice, { type: "pin_message", id: toPin, pinned: true });
    const { frames, end } = await replayOf(await openRoom(stack(), bob, alice, { since: 5, node: 1 }));
    const edited = { type: "message_edited", date_edited: expect.any(String), from_user: { username: alice } };
    expect(frames).toEqual([
      { ...edited, id: toEdit, seq: 8, message: "edited twice" },
      { type: "message_deleted", id: toDelete, seq: 9, deleted_by: alice },
      { ...edited, id: both, seq: 10, message: "edited and pinned", pinned: true, pinned_by: alice },
      { type: "message_pinned", id: toPin, seq: 11, pinned: true, pinned_by: alice },
    ]);
    expect(end).toEqual({ type: "resumed", seq: 11 });
  });

  test("[RESUME-2] a new message that changed since comes as it now is, with the seq of its last change", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const { id: edited } = await say(ofAlice, "one");
    const { id: pinned } = await say(ofAlice, "two");
    const { id: deleted } = await say(ofAlice, "three");
    await change(ofAlice, { type: "delete_message", id: deleted });
    await change(ofAlice, { type: "edit_message", id: edited, message: "uno" });
    await change(ofAlice, { type: "pin_message", id: pinned, pinned: true });
    const { frames, end } = await replayOf(await openRoom(stack(), bob, alice, { since: 0 }));
    expect(frames).toMatchObject([
      { type: "message_deleted", id: deleted, seq: 4, deleted_by: alice },
      { type: "chat_message", id: edited, seq: 5, message: "uno", room: alice },
      { type: "chat_message", id: pinned, seq: 6, message: "two" },
    ]);
    expect(end).toEqual({ type: "resumed", seq: 6 });
    await ofBob.receiveMany(6);
  });

  test("[RESUME-2] the end of a pin, and who it was in the end", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const { id } = await say(ofAlice, "one");
    await ofBob.receive();
    await change(ofAlice, { type: "pin_message", id, pinned: true });
    await ofBob.receive();
    await change(ofBob, { type: "pin_message", id, pinned: false });
    for (const since of [1, 2]) {
      const { frames } = await replayOf(await openRoom(stack(), bob, alice, { since, node: 1 }));
      expect(frames).toEqual([{ type: "message_pinned", id, seq: 3, pinned: false, pinned_by: bob }]);
    }
  });

  test("[RESUME-4] as many messages as the limit are replayed, one more is too many", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    for (let count = 0; count <= LIMIT; count += 1) await say(ofAlice, `${count}`);
    const enough = await replayOf(await openRoom(stack(), bob, alice, { since: 1 }));
    expect(enough.frames).toHaveLength(LIMIT);
    expect(enough.end).toEqual({ type: "resumed", seq: LIMIT + 1 });
    const tooMany = await openRoom(stack(), bob, alice, { since: 0, node: 1 });
    expect(await replayOf(tooMany)).toEqual({ frames: [], end: { type: "resume_failed", seq: LIMIT + 1 } });
    await say(ofAlice, "live");
    expect(await tooMany.receive()).toMatchObject({ type: "chat_message", seq: LIMIT + 2 });
  });

  test("[RESUME-4] a since that is no number, or beyond the present", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    await say(ofAlice, "one");
    for (const since of ["", "abc", "-1", "1.5", "0x1", "2", "99999999999999999999"]) {
      const failed = await replayOf(await openRoom(stack(), bob, alice, { since }));
      expect(failed).toEqual({ frames: [], end: { type: "resume_failed", seq: 1 } });
    }
  });
});

describeOnBoth("coming back while others go on", { nodes: 2, settings: { SEND_BURST: "100000" } }, (stack) => {
  test("[RESUME-5] [ORDER-1] nothing is missing and nothing comes twice", async () => {
    const names = people("alice", "bob", "carol");
    const [alice, bob, carol] = names;
    const group = await makeGroup(stack(), ...names);
    const senders = [await openRoom(stack(), alice, group), await openRoom(stack(), bob, group, { node: 1 })];
    for (const sender of senders) await sender.receiveType("online_user_list");
    const rounds = 8;
    const burst = 10;
    const sendBurst = () => {
      for (let count = 0; count < burst; count += 1) {
        for (const sender of senders) sender.send({ type: "chat_message", message: "hello" });
      }
    };
    let since = 0;
    for (let round = 0; round < rounds; round += 1) {
      sendBurst();
      const socket = await openRoom(stack(), carol, group, { node: round % 2, since });
      // The socket is there, its room is just being opened.
      sendBurst();
      const { frames, end } = await replayOf(socket);
      expect(end.type).toBe("resumed");
      const seqs: number[] = frames.map(({ seq }) => seq);
      const target = (round + 1) * 2 * burst * senders.length;
      while ((seqs.at(-1) ?? since) < target) seqs.push((await socket.receiveType("chat_message")).seq);
      expect(seqs).toEqual(Array.from({ length: target - since }, (_, index) => since + 1 + index));
      since = target;
      await socket.close();
    }
  });
});
