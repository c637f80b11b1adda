/** Who is in a group, as the rooms dialect manages it and as every dialect shows it. */
import { expect, test } from "vitest";
import { describeOnBoth } from "../support/stack.ts";
import { acknowledged, ask, enterRooms, expectNext, makeGroup, openRooms, people, post, refusalOf } from "./sockets.ts";

describeOnBoth("groups", { nodes: 2 }, (stack) => {
  test("[ROOMS-10] who is added is told by name, sees what was said before, and starts with nothing unread", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    await stack().introduce(carol);
    const room_id = await makeGroup(stack(), alice, bob);
    await post(stack(), alice, room_id, "before");
    const { socket: ofAlice } = await enterRooms(stack(), alice);
    const { socket: ofBob } = await enterRooms(stack(), bob, { node: 1 });
    const { socket: ofCarol } = await enterRooms(stack(), carol, { node: 1 });
    const { answer, events } = await ask(ofAlice, "addMembers", { room_id, members: [carol, bob] });
    expect(answer.data).toEqual({ room_id, members: [carol] });
    const added = { event: "members added", data: { room_id, members: [carol], user_id: alice } };
    expect(events).toEqual([added]);
    expect(await ofBob.receive()).toEqual(added);
    const group = await expectNext(ofCarol, `group_${carol}`, { _id: room_id, unread_count: 0, seq: 1 });
    expect(group.last_message).toMatchObject({ message: "before", seq: 1 });
    const history = await stack().request(carol, "GET", `/api/rooms/${room_id}/messages`);
    expect(history.body.messages).toMatchObject([{ content: "before", seq: 1 }]);
    const { _id, recipients } = await acknowledged(ofAlice, "sendMessage", { room_id, message: "after" });
    expect(recipients.map((member: { _id: string }) => member._id).toSorted()).toEqual([bob, carol].toSorted());
    await expectNext(ofCarol, "message", { _id, message: "after", recipients });
    await expectNext(ofBob, "message", { _id, recipients });
    expect((await enterRooms(stack(), carol)).list).toMatchObject([{ _id: room_id, unread_count: 1, seq: 2 }]);
  });

  test("[ROOMS-11] the creator manages, and nobody else", async () => {
    const [alice, bob, carol, dora] = people("alice", "bob", "carol", "dora");
    await stack().introduce(dora);
    const room_id = await makeGroup(stack(), alice, bob, carol);
    const { socket: ofAlice } = await enterRooms(stack(), alice);
    const { socket: ofBob } = await enterRooms(stack(), bob, { node: 1 });
    const forbidden: [string, object][] = [
      ["addMembers", { room_id, members: [dora] }],
      ["removeMember", { room_id, user_id: carol }],
      ["removeMember", { room_id, user_id: alice }],
      ["updateGroup", { room_id, room_name: "mine" }],
    ];
    for (const [event, data] of forbidden) expect(await refusalOf(ofBob, event, data)).toBe("forbidden");
    expect(await refusalOf(ofAlice, "removeMember", { room_id, user_id: dora })).toBe("forbidden");
    expect(await refusalOf(ofAlice, "addMembers", { room_id, members: ["nobody-at-all"] })).toBe("invalid_frame");

    const image_url = "https://files.example/g.png";
    const data = await acknowledged(ofAlice, "updateGroup", { room_id, room_name: "ours", image_url });
    expect(data).toEqual({ room_id, room_name: "ours", image_url });
    const updated = { room_id, room_name: "ours", image_url, creator_id: alice, user_id: alice };
    expect(await ofBob.receive()).toEqual({ event: "group updated", data: updated });
    // The same again is no news.
    const { answer, events } = await ask(ofAlice, "updateGroup", { room_id, room_name: "ours" });
    expect([answer.event, events]).toEqual(["ack", []]);
    await acknowledged(ofAlice, "updateGroup", { room_id, image_url: null });
    expect(await ofBob.receive()).toEqual({ event: "group updated", data: { ...updated, image_url: null } });
    await acknowledged(ofAlice, "removeMember", { room_id, user_id: carol });
    const removed = { room_id, user_id: carol, removed_by: alice, creator_id: alice };
    expect(await ofBob.receive()).toEqual({ event: "member removed", data: removed });
    // A direct conversation is nobody's to manage.
    await post(stack(), alice, bob, "hi");
    const { _id: direct } = await expectNext(ofBob, "message", { message: "hi" });
    expect(await refusalOf(ofBob, "leaveGroup", { room_id: direct })).toBe("forbidden");
    expect(await refusalOf(ofBob, "addMembers", { room_id: direct, members: [dora] })).toBe("forbidden");
  });

  test("[ROOMS-11] a creator who leaves leaves the group to nobody", async () => {
    const [alice, bob, carol, dora] = people("alice", "zoe", "bob", "carol");
    await stack().introduce(alice, bob, carol, dora);
    const room_id = await makeGroup(stack(), alice, bob, carol);
    const { socket: ofAlice } = await enterRooms(stack(), alice);
    const { socket: ofBob } = await enterRooms(stack(), bob, { node: 1 });
    const { socket: ofCarol } = await enterRooms(stack(), carol);
    expect(await acknowledged(ofAlice, "leaveGroup", { room_id })).toEqual({ room_id });
    const left = { room_id, user_id: alice, removed_by: alice, creator_id: null };
    for (const socket of [ofBob, ofCarol])
      expect(await socket.receive()).toEqual({ event: "member removed", data: left });
    for (const socket of [ofBob, ofCarol])
      expect(await refusalOf(socket, "addMembers", { room_id, members: [dora] })).toBe("forbidden");
    expect(await refusalOf(ofAlice, "sendMessage", { room_id, message: "still here?" })).toBe("forbidden");
    expect((await enterRooms(stack(), alice)).list).toEqual([]);
    await acknowledged(ofBob, "leaveGroup", { room_id });
  });

  test("[ROOMS-16] who left is not put back: they are invited, and add themselves", async () => {
    const [alice, bob] = people("alice", "bob");
    const room_id = await makeGroup(stack(), alice, bob);
    const { socket: ofAlice } = await enterRooms(stack(), alice);
    const { socket: ofBob } = await enterRooms(stack(), bob, { node: 1 });
    await acknowledged(ofBob, "leaveGroup", { room_id });
    await ofAlice.receive();
    expect(await refusalOf(ofBob, "addMembers", { room_id, members: [bob] })).toBe("forbidden");
    const { answer, events } = await ask(ofAlice, "addMembers", { room_id, members: [bob] });
    expect([answer.data, events]).toEqual([{ room_id, members: [], invited: [bob] }, []]);
    expect(await acknowledged(ofBob, "addMembers", { room_id, members: [bob] })).toEqual({ room_id, members: [bob] });
    expect(await ofAlice.receive()).toEqual({
      event: "members added",
      data: { room_id, members: [bob], user_id: bob },
    });
  });

  test("[ROOMS-12] who was removed and added again hears what comes after that, and counts only that", async () => {
    const [alice, bob] = people("alice", "bob");
    const room_id = await makeGroup(stack(), alice, bob);
    const { socket: ofAlice } = await enterRooms(stack(), alice);
    const { socket: ofBob } = await enterRooms(stack(), bob, { node: 1 });
    const outside = await openRooms(stack(), bob, { node: 1 });
    await acknowledged(ofAlice, "removeMember", { room_id, user_id: bob });
    await acknowledged(ofAlice, "sendMessage", { room_id, message: "behind his back" });
    await acknowledged(ofAlice, "addMembers", { room_id, members: [bob] });
    await acknowledged(ofAlice, "sendMessage", { room_id, message: "welcome back" });
    for (const socket of [ofBob, outside]) await expectNext(socket, `group_${bob}`, { _id: room_id });
    await expectNext(ofBob, "message", { room_id, message: "welcome back", seq: 2 });
    expect((await enterRooms(stack(), bob)).list).toMatchObject([{ _id: room_id, unread_count: 1 }]);
  });
});
