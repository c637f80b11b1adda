import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { errorFrame } from "../../server/protocol/channels.ts";
import type { Frame } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import { expectNextNumber, ownRoom } from "./room.ts";

// What is sent below within one turn of the event loop is read within a few: no token comes back in between.
describeOnBoth("the rate of messages", { settings: { SEND_BURST: "3", SEND_RATE: "1" } }, (stack) => {
  it("beyond the burst is refused, and says when to try again", async () => {
    const { socket } = await ownRoom(stack());
    for (const client_id of ["a", "b", "c", "d"]) socket.send({ type: "chat_message", message: "x", client_id });
    const frames = await socket.receiveMany(4);
    const refused = errorFrame.parse(frames.find(({ type }) => type === "error"));
    expect(refused).toMatchObject({ code: "rate_limited", event: "chat_message", client_id: "d" });
    const echoed = frames.filter(({ type }) => type === "chat_message").map((frame) => frame.client_id);
    expect(echoed).toEqual(["a", "b", "c"]);

    // Not in place of a condition: it is the promise of `retry_after` that is tested.
    expect(refused.retry_after).toBeLessThanOrEqual(1000);
    await sleep(refused.retry_after);
    socket.send({ type: "chat_message", message: "x", client_id: "d" });
    expect(await socket.receive()).toMatchObject({ type: "chat_message", client_id: "d", seq: 4 });
  });

  it("is one for all sockets of a user, and for edits, deletions and pins", async () => {
    const { name, path, socket } = await ownRoom(stack());
    const other = await stack().connect(name, path);
    await other.receive();
    // None of them can be: each that is let through is forbidden.
    const id = "no-such-id";
    const send = { type: "chat_message", message: "x", reply_to: id };
    const edit = { type: "edit_message", id, message: "x" };
    for (const frame of [send, edit]) socket.send(frame);
    for (const frame of [{ type: "delete_message", id }, { type: "pin_message", id, pinned: true }, edit, send]) {
      other.send(frame);
    }
    const answers: Frame[] = [...(await socket.receiveMany(2)), ...(await other.receiveMany(4))];
    expect(answers.map(({ code }) => code).sort()).toEqual([
      ...Array(3).fill("forbidden"),
      ...Array(3).fill("rate_limited"),
    ]);
  });

  it("is each user's own", async () => {
    const [loud, quiet] = [await ownRoom(stack()), await ownRoom(stack())];
    for (let sent = 0; sent < 10; sent += 1) loud.socket.send({ type: "chat_message", message: "x" });
    await expectNextNumber(quiet.socket, 1);
    const refused = (await loud.socket.receiveMany(10)).filter(({ code }) => code === "rate_limited");
    expect(refused).toHaveLength(7);
  });

  it("holds for reading no more than for listening", async () => {
    const { socket } = await ownRoom(stack());
    for (let sent = 0; sent < 30; sent += 1) socket.send({ type: "read_messages" });
    await expectNextNumber(socket, 1);
  });
});

describeOnBoth("the rate of groups", { settings: { SEND_BURST: "4", SEND_RATE: "1" } }, (stack) => {
  beforeEach(() => {
    vi.spyOn(performance, "now").mockReturnValue(0);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  const tooMany = (what: string) => ({
    code: "rate_limited",
    message: expect.stringContaining(what),
    retry_after: 1000,
  });

  it("[LIMIT-2] is that of messages: over HTTP", async () => {
    await stack().introduce("founder", "joiner");
    const call = (method: string, path: string, body?: object) =>
      stack().request("founder", method, `/api/conversations${path}`, body);
    const made = await call("POST", "", { type: "group", name: "g", members: [] });
    expect(made.status).toBe(201);
    const path = `/${made.body.id}`;
    expect(await call("POST", `${path}/members`, { members: ["joiner"] })).toMatchObject({ status: 200 });
    expect(await call("DELETE", `${path}/members/joiner`)).toMatchObject({ status: 204 });
    expect(await call("PATCH", path, { name: "h" })).toMatchObject({ status: 200 });

    const refused = { status: 429, body: { error: tooMany("changes of groups") } };
    expect(await call("POST", "", { type: "group", name: "g", members: [] })).toMatchObject(refused);
    expect(await call("POST", `${path}/members`, { members: ["joiner"] })).toMatchObject(refused);
    expect(await call("DELETE", `${path}/members/founder`)).toMatchObject(refused);
    expect(await call("PATCH", path, { name: "i" })).toMatchObject(refused);
    const said = await stack().request("founder", "POST", `/api/rooms/${made.body.id}/messages`, { message: "x" });
    expect(said).toMatchObject({ status: 429, body: { error: tooMany("messages") } });
    // Looking is free.
    expect(await call("GET", path)).toMatchObject({ status: 200, body: { name: "h", members_count: 1 } });
  });

  it("[LIMIT-2] is that of messages: in the rooms dialect", async () => {
    await stack().introduce("host", "guest");
    const host = await stack().connect("host", "/rooms");
    let asked = 0;
    const ask = async (event: string, data: object) => {
      asked += 1;
      host.send({ event, data, id: asked });
      for (;;) {
        const frame = await host.receive();
        if (frame.id === asked) return frame;
      }
    };
    const group = { room_name: "g", recipients: ["guest"], type: "group-chat" };
    const { data } = await ask("createGroup", group);
    const room_id = data._id;
    for (const [event, more] of [
      ["removeMember", { user_id: "guest" }],
      ["addMembers", { members: ["guest"] }],
      ["updateGroup", { room_name: "h" }],
    ] as const) {
      expect(await ask(event, { room_id, ...more })).toMatchObject({ event: "ack" });
    }
    const refused = { event: "error", data: tooMany("changes of groups") };
    expect(await ask("createGroup", group)).toMatchObject(refused);
    expect(await ask("addMembers", { room_id, members: ["guest"] })).toMatchObject(refused);
    expect(await ask("removeMember", { room_id, user_id: "guest" })).toMatchObject(refused);
    expect(await ask("leaveGroup", { room_id })).toMatchObject(refused);
    expect(await ask("updateGroup", { room_id, room_name: "i" })).toMatchObject(refused);
  });
});

describeOnBoth("the rate of typing", {}, (stack) => {
  it("is 5 at once; more are dropped in silence", async () => {
    await stack().introduce("typist");
    const reader = await stack().connect("reader", "/ws/typist/");
    await reader.receiveMany(2);
    const typist = await stack().connect("typist", "/ws/reader/");
    await typist.receiveMany(2);
    expect(await reader.receive()).toEqual({ type: "user_join", user: "typist" });

    for (let sent = 0; sent < 30; sent += 1) typist.send({ type: "typing", is_typing: sent % 2 === 0 });
    const heard = await reader.receiveMany(5);
    expect(heard.every(({ type, user }) => type === "user_typing" && user === "typist")).toBe(true);
    await typist.receiveNothing();
    await expectNextNumber(typist, 1);
    expect(await reader.receive()).toMatchObject({ type: "chat_message", seq: 1 });
    await reader.receiveNothing();
  });
});
